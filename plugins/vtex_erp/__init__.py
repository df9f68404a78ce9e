"""Brings every VTEX order into the merchant's ERP exactly once, on Apache Airflow."""
