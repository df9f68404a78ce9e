"""A whole Airflow in one folder: its components as processes on free ports, driven over REST API v2 as the UI does."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")

_START_SECONDS = 180
_STOP_SECONDS = 20
_HEALTH_NAMES = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}


class AirflowError(Exception):
    """Airflow did not start, or refused a request; the text says why and where its log is."""


@dataclass
class Airflow:
    """One deployment in `home`. `settings` are more environment variables, connections among them."""

    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    components: Sequence[str] = COMPONENTS
    port: int = field(default_factory=lambda: free_port())
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:  # noqa: D105
        self.url = f"http://127.0.0.1:{self.port}"
        self.home.mkdir(parents=True, exist_ok=True)
        self._session = requests.Session()
        self._session.trust_env = False
        # What configures another Airflow (a developer's own, the one of a test suite) is not for this one.
        # Without bytecode each of hundreds of task processes would compile everything that it imports.
        ours = ("AIRFLOW", "PYTHONDONTWRITEBYTECODE")
        outside = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self._environment = {**outside, **self._defaults(), **self.settings}

    def _defaults(self) -> dict[str, str]:
        variables = {
            "CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": "8",
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "CORE__FERNET_KEY": "",
            "API__HOST": "127.0.0.1",
            "API__PORT": str(self.port),
            "API__BASE_URL": self.url,
            "API__SECRET_KEY": secrets.token_hex(16),
            "API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db",
            "LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
            "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            # A shorter sleep takes most of a core while a run goes on, and the tasks are slower for it.
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
            "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
            "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            # Nobody edits the DAGs meanwhile. But if a run ends while its DAG is paused, Airflow 3.3.2 makes no more of
            # them until the file is parsed again.
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
            "USAGE_DATA_COLLECTION__ENABLED": "False",
            # Airflow may wait this long at the end of a task before it gives the slot back; its default is 5.
            "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        }
        path = os.pathsep.join(filter(None, (str(ROOT / "plugins"), str(ROOT), os.environ.get("PYTHONPATH"))))
        return {
            **{f"AIRFLOW__{name}": value for name, value in variables.items()},
            "AIRFLOW_HOME": str(self.home),
            "PYTHONPATH": path,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        }

    def command(self, *words: str, module: str = "airflow") -> str:
        """Run a command of Airflow, or of another module, to its end; what it printed. Raises AirflowError."""
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AirflowError(f"{module} {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout

    def start(self) -> None:
        """Create the database where needed, start the components, wait until they are all healthy."""
        self.command("db", "migrate")
        for component in self.components:
            self.start_component(component)
        self.wait_until_healthy()

    def start_component(self, component: str) -> subprocess.Popen[bytes]:
        """Start one component; its output goes to `{component}.log` in the home folder."""
        with (self.home / f"{component}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "airflow", *component.split()],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[component] = process
        return process

    def wait_until_healthy(self) -> None:
        """Wait for a fresh heartbeat of each component. Raises AirflowError."""
        deadline = time.monotonic() + _START_SECONDS
        watched = [_HEALTH_NAMES[component] for component in self.components if component in _HEALTH_NAMES]
        while time.monotonic() < deadline:
            self._raise_for_the_dead()
            with suppress(requests.RequestException):
                health = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
                if all(health.get(name, {}).get("status") == "healthy" for name in watched):
                    self._log_in()
                    return
            time.sleep(0.5)
        raise AirflowError(f"Airflow was not healthy within {_START_SECONDS} seconds; its logs are in {self.home}")

    def _raise_for_the_dead(self) -> None:
        for component, process in self.processes.items():
            if process.poll() is not None:
                log = (self.home / f"{component}.log").read_text(errors="replace")
                raise AirflowError(f"{component} ended with {process.returncode}:\n{log[-2000:]}")

    def _log_in(self) -> None:
        answer = self._session.get(f"{self.url}/auth/token", timeout=30)
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, **settings: Any) -> Any:
        """Call REST API v2; `path` without the `/api/v2/`, or whole from its slash. Raises AirflowError on 4xx, 5xx."""
        answer = self._session.request(method, urljoin(f"{self.url}/api/v2/", path), timeout=60, **settings)
        if not answer.ok:
            raise AirflowError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def get_page(self, path: str) -> requests.Response:
        """Get a page of a plugin, as a browser does."""
        return self._session.get(urljoin(self.url, path), timeout=60)

    def wait_for_dag(self, dag_id: str, *, seconds: float = 120) -> None:
        """Wait until the DAG processor has seen a DAG. Raises AirflowError with its import errors."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(AirflowError):
                self.call("GET", f"dags/{dag_id}")
                return
            time.sleep(0.5)
        raise AirflowError(f"no DAG {dag_id}; import errors: {self.call('GET', 'importErrors')}")

    def unpause(self, dag_id: str, *, paused: bool = False) -> None:
        """Let the DAG run (or pause it)."""
        self.call("PATCH", f"dags/{dag_id}", json={"is_paused": paused})

    def trigger(self, dag_id: str, run_id: str, **conf: Any) -> None:
        """Start a manual run."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
        self.call("POST", f"dags/{dag_id}/dagRuns", json=body)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Give the state of a run: queued, running, success or failed."""
        return str(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for_run(self, dag_id: str, run_id: str, *, seconds: float = 300) -> str:
        """Wait until the run has ended and give its state. Raises AirflowError."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._raise_for_the_dead()
            state = self.run_state(dag_id, run_id)
            if state in ("success", "failed"):
                return state
            time.sleep(0.3)
        raise AirflowError(f"run {run_id} of {dag_id} did not end within {seconds} seconds")

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Give the run's task instances as REST API v2 shows them."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        instances: list[dict[str, Any]] = self.call("GET", path, params={"limit": 1000})["task_instances"]
        return instances

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[Any], **settings: Any) -> None:
        """Clear task instances as the UI's button does; more settings as in the API (include_downstream…)."""
        body = {"dag_run_id": run_id, "dry_run": False, "only_failed": False, "task_ids": list(task_ids), **settings}
        self.call("POST", f"dags/{dag_id}/clearTaskInstances", json=body)

    def stop(self) -> None:
        """End every process of the deployment."""
        for process in self.processes.values():
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
            _signal(process, signal.SIGKILL)
            process.wait()
        self.processes.clear()
        self._session.close()


@contextmanager
def running(home: Path, settings: Mapping[str, str], components: Sequence[str] = COMPONENTS) -> Iterator[Airflow]:
    """Run Airflow for the length of the block; nothing of it is left afterwards."""
    airflow = Airflow(home, settings, components)
    try:
        airflow.start()
        yield airflow
    finally:
        airflow.stop()


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The session holds the component's own children: workers of the scheduler, tasks, api-server workers.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
