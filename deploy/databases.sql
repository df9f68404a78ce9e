-- One role and one database each for Airflow and the order ledger. PostgreSQL's image runs this once, on an empty volume.
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv ledger_password LEDGER_DB_PASSWORD

CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE DATABASE airflow OWNER airflow;
REVOKE ALL ON DATABASE airflow FROM PUBLIC;

CREATE ROLE ledger LOGIN PASSWORD :'ledger_password';
CREATE DATABASE ledger OWNER ledger;
REVOKE ALL ON DATABASE ledger FROM PUBLIC;
