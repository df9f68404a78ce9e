"""A simulated VTEX account: order feed, orders, keys, limits and faults. `python -m sandbox.vtex` runs it."""
