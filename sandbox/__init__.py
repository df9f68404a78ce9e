"""A VTEX store and an ERP on one's own machine: for tests, demos and benchmarks. Never used in production."""
