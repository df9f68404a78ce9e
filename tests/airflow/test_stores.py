"""Several stores in one file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vtex_erp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

DAGS = Path(__file__).resolve().parents[2] / "dags"
PLAIN = {"vtex_orders", "vtex_orders_by_date", "vtex_feed_config", "vtex_feed_guard"}
TWENTY = "stores:\n" + "".join(
    f"  shop-{number}: {{vtex: vtex_{number}, erp: erp_{number}, rules: '', schedule: '*/{number} * * * *'}}\n"
    for number in range(1, 20)
)


@pytest.fixture
def bag(tmp_path: Path) -> Callable[[str], Any]:
    def load(stores: str) -> Any:
        from airflow.dag_processing.dagbag import DagBag

        for file in DAGS.iterdir():
            if file.is_file():
                shutil.copy(file, tmp_path)
        (tmp_path / "stores.yaml").write_text(stores)
        return DagBag(str(tmp_path))

    return load


def test_twenty_stores_and_one_of_them_broken(bag: Callable[[str], Any]) -> None:
    loaded = bag(TWENTY + "  broken: {vtex: vtex_20, schedul: never}\n")
    assert loaded.import_errors == {}
    dags = loaded.dags
    good = {f"{plain}__shop-{number}" for plain in PLAIN for number in range(1, 20)}
    broken = {f"{plain}__broken" for plain in PLAIN}
    assert good | broken <= set(dags)
    assert not PLAIN & set(dags)
    assert set(dags["vtex_orders__shop-7"].task_ids) > {"pull_feed", "orders.submit_orders", "outcome"}
    assert dags["vtex_orders__shop-7"].timetable.expression == "*/7 * * * *"
    assert dags["vtex_orders__shop-7"].get_task("pull_feed").store.vtex == "vtex_7"
    assert dags["vtex_feed_guard__shop-7"].get_task("bring_in_gap").by_date_dag == "vtex_orders_by_date__shop-7"
    assert dags["vtex_feed_config__shop-7"].get_task("configure_feed").suffix == "__shop-7"
    [task] = dags["vtex_orders__broken"].tasks
    with pytest.raises(ConfigurationError, match=r"line 21: stores\.broken\.schedul is not a setting; did you mean"):
        task.execute({})
    assert "stores.broken.schedul" in dags["vtex_orders__broken"].doc_md


def test_the_mistake_of_a_single_store_is_an_import_error(bag: Callable[[str], Any]) -> None:
    loaded = bag("stores: {main: {schedul: never}}")
    assert set(loaded.dags) == {"vtex_maintenance"}
    assert all("stores.main.schedul is not a setting" in text for text in loaded.import_errors.values())


HOOK = "{url: 'https://airflow.example.com/vtex/hook/x'}"


@pytest.mark.parametrize(
    ("stores", "assets"),
    [
        (f"main: {{hook: {HOOK}}}", {"vtex_orders": "vtex_events"}),
        (
            f"one: {{vtex: one, hook: {HOOK}, schedule: '*/5 * * * *'}}, two: {{vtex: two}}",
            {"vtex_orders__one": "vtex_events__one", "vtex_orders__two": None},
        ),
    ],
)
def test_a_store_with_a_hook_is_woken_by_its_asset(
    bag: Callable[[str], Any], stores: str, assets: dict[str, str | None]
) -> None:
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.trigger import CronTriggerTimetable

    loaded = bag(f"stores: {{{stores}}}")
    assert loaded.import_errors == {}
    for dag_id, asset in assets.items():
        dag = DagSerialization.from_dict(DagSerialization.to_dict(loaded.dags[dag_id]))
        by_time = dag.timetable if asset is None else dag.timetable.timetable
        assert isinstance(by_time, CronTriggerTimetable)
        woken_by = [each.name for _, each in dag.timetable.asset_condition.iter_assets()]
        assert woken_by == ([asset] if asset else [])
        assert set(dag.allowed_run_types) == {"scheduled", "asset_triggered", "manual"}
        assert dag.max_active_runs == 1


def test_the_dags_of_a_store_can_be_written_down(bag: Callable[[str], Any]) -> None:
    """As the DAG processor does: what a task is given must go into Airflow's database."""
    from airflow.serialization.serialized_objects import DagSerialization

    text = str([DagSerialization.to_dict(dag) for dag in bag(TWENTY).dags.values()])
    assert "vtex_7" in text


def test_a_task_process_makes_its_own_dag_only(bag: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "vtex_orders__shop-3")
    assert set(bag(TWENTY).dags) - {"vtex_maintenance"} == {"vtex_orders__shop-3"}
