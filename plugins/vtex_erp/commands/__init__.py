"""The commands of `python -m vtex_erp`: one module each, with `add_parser` and what it runs."""
