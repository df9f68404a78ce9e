"""The ERP client: the protocol, the adapters for each kind of ERP, and which connection type picks which."""
