"""Speaks VTEX: the client of its Orders API, its documents and its statuses."""
