"""A small ERP that speaks the REST protocol which the integration expects of a merchant's middleware."""
