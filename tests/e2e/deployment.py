"""One Airflow with the sandbox around it, and what a person does to a run in Airflow's UI."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.pipeline.loop import STATUSES
from vtex_erp.ledger.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.airflow import Airflow
    from sandbox.client import PlacedOrder, Sandbox
    from vtex_erp.ledger.ledger import Ledger

DAG = "vtex_orders"
STEPS = ("fetch_orders", "map_orders", "submit_orders", "commit_events", "start_handling")

_SLOW_SECONDS = 180
_run_ids = (f"by_hand_{number}" for number in itertools.count(1))


@dataclass
class DagRun:
    """One run of the DAG. Task instances are called as in the grid: `pull_feed`, `submit_orders[0]`."""

    airflow: Airflow
    run_id: str = field(default_factory=lambda: next(_run_ids))

    @property
    def path(self) -> str:
        return f"dags/{DAG}/dagRuns/{self.run_id}"

    def trigger(self) -> DagRun:
        self.airflow.trigger(DAG, self.run_id)
        return self

    def wait(self) -> str:
        """Wait for the run's end; its state."""
        return self.airflow.wait_for_run(DAG, self.run_id, seconds=_SLOW_SECONDS)

    def instances(self) -> dict[str, dict[str, Any]]:
        """The task instances by name, as REST API v2 shows them."""
        return {_name(each): each for each in self.airflow.task_instances(DAG, self.run_id)}

    def states(self) -> dict[str, str | None]:
        return {name: each["state"] for name, each in self.instances().items()}

    def tries(self) -> dict[str, int]:
        return {name: each["try_number"] for name, each in self.instances().items()}

    def wait_for(self, name: str, *, state: str, tries: int = 1) -> None:
        """Wait until a task instance is in a state, in its try with that number or a later one."""

        def there() -> bool:
            instance = self.instances().get(name)
            return bool(instance and instance["state"] == state and instance["try_number"] >= tries)

        wait_until(there, what=f"{name} of {self.run_id} is {state} in try {tries}")

    def clear(self, *names: str, downstream: bool = False) -> None:
        """Clear task instances, and wait for the run's end."""
        self.clear_while_running(*names, downstream=downstream)
        self.wait()

    def clear_while_running(self, *names: str, downstream: bool = False) -> None:
        tasks = [[_task_id(name), _map_index(name)] if "[" in name else name for name in names]
        self.airflow.clear(DAG, self.run_id, tasks, dag_run_id=self.run_id, include_downstream=downstream)

    def clear_all(self) -> str:
        """Clear the whole run and wait for its end; its state."""
        self.airflow.call("POST", f"{self.path}/clear", json={"dry_run": False, "only_failed": False})
        return self.wait()

    def mark(self, name: str, state: str) -> None:
        """Mark a task instance as failed or as a success."""
        path = f"{self.path}/taskInstances/{_task_id(name)}/{_map_index(name)}"
        self.airflow.call("PATCH", path, json={"new_state": state})

    def pid(self, name: str) -> int:
        """The process of a task instance; its parent watches over it."""
        return int(self.instances()[name]["pid"])

    def log(self, name: str, *, tries: int | None = None) -> str:
        """The log of a task instance's try, the latest one by default."""
        number = tries or self.tries()[name]
        path = f"{self.path}/taskInstances/{_task_id(name)}/logs/{number}"
        answer = self.airflow.call("GET", path, params={"map_index": _map_index(name), "full_content": True})
        return json.dumps(answer["content"], ensure_ascii=False)

    def logs(self) -> Iterator[str]:
        """The logs of all tries of all task instances."""
        for name, tries in self.tries().items():
            yield from (self.log(name, tries=number) for number in range(1, tries + 1))

    def xcoms(self) -> dict[tuple[str, str], Any]:
        """Everything in XCom, by task instance and key."""
        entries = self.airflow.call("GET", f"{self.path}/taskInstances/~/xcomEntries")["xcom_entries"]
        return {(_name(entry), entry["key"]): self._xcom(entry) for entry in entries}

    def _xcom(self, entry: dict[str, Any]) -> Any:
        path = f"{self.path}/taskInstances/{entry['task_id']}/xcomEntries/{entry['key']}"
        return self.airflow.call("GET", path, params={"map_index": entry["map_index"]})["value"]


@dataclass
class Deployment:
    """The deployment, the sandbox and the ledger that the DAG works with."""

    airflow: Airflow
    sandbox: Sandbox
    ledger: Ledger

    def set_up(self) -> None:
        """Begin anew: nothing in VTEX, the ERP and the ledger, the feed configured, both connections right."""
        self.end_runs()
        self.sandbox.reset()
        self.sandbox.clear_faults()
        with self.ledger.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
        self.sandbox.configure_feed(visibility_timeout=600, statuses=STATUSES)
        self.connect("vtex_default", **self.vtex_connection())
        self.connect("erp_default", conn_type="http", host=self.sandbox.erp_url)

    def end_runs(self) -> None:
        """Fail what a test has left running: one run at a time may be active."""
        runs = self.airflow.call("GET", f"dags/{DAG}/dagRuns", params={"state": ["running", "queued"]})["dag_runs"]
        for run in runs:
            path = f"dags/{DAG}/dagRuns/{run['dag_run_id']}"
            self.airflow.call("PATCH", path, json={"state": "failed"})

    def vtex_connection(self, **changes: Any) -> dict[str, Any]:
        sandbox = self.sandbox
        extra = json.dumps({"account": sandbox.account})
        right = {"host": sandbox.base_url, "login": sandbox.app_key, "password": sandbox.app_token, "extra": extra}
        return {"conn_type": "vtex", **right, **changes}

    def connect(self, connection_id: str, **fields: Any) -> None:
        """Save a connection, as under Admin, Connections."""
        entity = {"connection_id": connection_id, **fields}
        action = {"action": "create", "entities": [entity], "action_on_existence": "overwrite"}
        self.airflow.call("PATCH", "connections", json={"actions": [action]})

    def start(self) -> DagRun:
        """Trigger a run."""
        return DagRun(self.airflow).trigger()

    def run(self) -> DagRun:
        """Trigger a run and wait for its end."""
        run = self.start()
        run.wait()
        return run

    def requests(self, family: str, **filters: Any) -> int:
        """How many requests of a family VTEX or the ERP got."""
        return len(self.sandbox.audit(family=family, **filters))

    def puts(self) -> Counter[str]:
        """How often each order was sent to the ERP, refusals included."""
        return Counter(entry["order_id"] for entry in self.sandbox.audit(family="erp-put"))

    def external_id(self, order: PlacedOrder) -> str:
        return f"{self.sandbox.account}:{order.order_id}"

    def effects(self) -> dict[str, tuple[int, int]]:
        """Of each order: how many sales orders the ERP has made of it, how often its handling was started."""
        in_erp, orders = self.sandbox.erp_orders(), self.sandbox.summary()["orders"]
        return {
            order_id: (_creations(in_erp, f"{self.sandbox.account}:{order_id}"), order["start_handling_effects"])
            for order_id, order in orders.items()
        }


def once(orders: Sequence[PlacedOrder]) -> dict[str, tuple[int, int]]:
    """The effects when each of the orders is in the ERP once and its handling was started once."""
    return {order.order_id: (1, 1) for order in orders}


def wait_until(there: Callable[[], bool], *, what: str) -> None:
    deadline = time.monotonic() + _SLOW_SECONDS
    while not there():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.2)


def _creations(in_erp: dict[str, dict[str, Any]], external_id: str) -> int:
    return int(in_erp[external_id]["creations"]) if external_id in in_erp else 0


def _name(instance: dict[str, Any]) -> str:
    name = instance["task_id"].rpartition(".")[2]
    return name if instance["map_index"] < 0 else f"{name}[{instance['map_index']}]"


def _task_id(name: str) -> str:
    task = name.partition("[")[0]
    return f"orders.{task}" if task in STEPS else task


def _map_index(name: str) -> int:
    return int(name.partition("[")[2].rstrip("]") or -1)
