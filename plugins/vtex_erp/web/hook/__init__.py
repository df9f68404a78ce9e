"""The endpoint of VTEX's hook, which the api-server serves."""
