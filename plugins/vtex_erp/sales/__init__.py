"""The sales order, and how a VTEX order becomes one: pure functions, exact money."""
