"""The mapping rules: a reviewed file that says how a merchant's ERP calls what VTEX names otherwise."""
