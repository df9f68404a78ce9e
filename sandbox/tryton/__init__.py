"""A real Tryton on this machine: installed from PyPI into an environment of its own, spoken to over HTTP alone."""
