"""Airflow operators: each opens what its step needs and runs it."""
