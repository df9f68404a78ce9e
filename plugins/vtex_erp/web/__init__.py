"""Pages that Airflow's api-server serves. Imported there only: FastAPI is heavy."""
