FROM apache/airflow:3.3.2-python3.12

COPY --chown=airflow:0 pyproject.toml README.md LICENSE /opt/airflow/
COPY --chown=airflow:0 plugins /opt/airflow/plugins

# The base image has everything that the package needs; the constraint keeps pip from moving any of it.
# jsonata-python is what it lacks for the sandbox.
# Editable: Airflow learns the connection type, and the code still has one home, plugins/.
RUN pip freeze > /tmp/constraints.txt \
    && pip install --no-cache-dir --constraint /tmp/constraints.txt --editable /opt/airflow jsonata-python==0.7.1

COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 sandbox /opt/airflow/sandbox
