"""The commands of `python -m vtex_erp`: one module each, whose `add_parser` sets `run`."""
