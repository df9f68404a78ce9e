"""The first steps of a run by date, and what a person may ask of it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, get_current_context

from vtex_erp.errors import ConfigurationError
from vtex_erp.operators.orders import batch_sizes, batches_of
from vtex_erp.operators.step import StepOperator
from vtex_erp.pipeline import deduplicate, find_orders
from vtex_erp.pipeline.find_orders import DATE_FIELDS, Search
from vtex_erp.vtex.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.found import Listed
    from vtex_erp.ledger.ledger import Ledger

_TEXTS: dict[str, Any] = {"type": ["array", "null"], "items": {"type": "string", "minLength": 1}}

# Airflow checks no format without a library that it does not bring along, but it checks patterns.
_MOMENT: dict[str, Any] = {
    "type": ["null", "string"],
    "format": "date-time",
    "pattern": r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$",
}

PARAMS: dict[str, Any] = {
    "from_moment": Param(
        None,
        **_MOMENT,
        title="From",
        description="With To: list this time instead of the run's data interval. ISO 8601, with a time zone.",
    ),
    "to_moment": Param(
        None,
        **_MOMENT,
        title="To",
        description="The first moment that is not listed any more. ISO 8601, with a time zone.",
    ),
    "date_field": Param(
        DATE_FIELDS[0],
        type="string",
        enum=list(DATE_FIELDS),
        title="Date",
        description="By which of VTEX's dates orders are found.",
    ),
    "statuses": Param(
        [],
        **_TEXTS,
        title="Statuses",
        description="Only orders that VTEX lists with one of these statuses. Empty: all. The list may be stale.",
    ),
    "order_ids": Param(
        [],
        **_TEXTS,
        title="Order ids",
        description="Only these orders, whatever their date; nothing is listed then.",
    ),
    "resubmit": Param(
        default=False,
        type="boolean",
        title="Resubmit",
        description="Look orders that are done up in the ERP again, and start parked ones anew. Makes no order twice.",
    ),
    "dry_run": Param(
        default=False, type="boolean", title="Dry run", description="List and count, and do nothing else."
    ),
}
"""For a DAG by date, with their JSON schema."""


class FindOrdersOperator(StepOperator):
    """Lists the orders of the given time, else of the run's data interval, into the ledger. Returns counts."""

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Find."""
        context = get_current_context()
        order_ids = context["params"].get("order_ids")
        if order_ids:
            listed = find_orders.name_orders(ledger, task, order_ids)
        else:
            search = _search(context)
            listed = find_orders.find_orders(ledger, task, self.vtex, search)
            if context["dag_run"].run_type == "scheduled":
                listed = find_orders.look_back(ledger, task, self.vtex, search.window.start)
        return _counts(listed)


class DeduplicateFoundOperator(StepOperator):
    """Plans the run's batches of what it has found. Returns one `{"batch": index, "orders": n}` for each."""

    def step(self, ledger: Ledger, task: TaskTry) -> list[dict[str, int]]:
        """Plan."""
        params = get_current_context()["params"]
        if params.get("dry_run"):
            deduplicate.plan_nothing(ledger, task)
            return []
        resubmit = bool(params.get("resubmit"))
        plan = deduplicate.deduplicate_found(ledger, task, sizes=batch_sizes(orders=1_000_000), resubmit=resubmit)
        return batches_of(plan)


def _search(context: Context) -> Search:
    params = context["params"]
    return Search(_window(context), str(params["date_field"]), tuple(params.get("statuses") or ()))


def _window(context: Mapping[str, Any]) -> Window:
    given = [context["params"].get(name) for name in ("from_moment", "to_moment")]
    if any(given):
        return _given_window(*map(_moment, ("from_moment", "to_moment"), given))
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if not isinstance(start, datetime) or not isinstance(end, datetime) or start >= end:
        raise ConfigurationError(
            "This run has no data interval, so it does not say which orders to find. Trigger it with a logical date "
            "(it covers the day before), create a backfill for a range, or give from_moment and to_moment, or "
            "order_ids.",
            cause="no-interval",
        )
    return Window.between(_plain(start), _plain(end))


def _given_window(start: datetime, end: datetime) -> Window:
    if start >= end:
        raise _wrong("from_moment", f"{start.isoformat()} is not before to_moment, {end.isoformat()}")
    return Window.between(start, end)


def _moment(name: str, text: object) -> datetime:
    """Read ISO 8601; `Z` too, which Python 3.10 does not know."""
    if not text:
        raise _wrong(name, "from_moment and to_moment go together: give both, or neither")
    try:
        moment = datetime.fromisoformat(str(text).strip().replace("Z", "+00:00"))
    except ValueError:
        raise _wrong(name, f"{text!r} is no moment; put one such as 2026-11-01T00:00:00-03:00") from None
    if moment.tzinfo is None:
        raise _wrong(name, f"{text!r} has no time zone; put one such as 2026-11-01T00:00:00-03:00, or Z for UTC")
    return moment.astimezone(timezone.utc)


def _wrong(name: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"Param {name}: {what}.", cause="wrong-param")


def _plain(moment: datetime) -> datetime:
    """Airflow's moments are pendulum's, whose differences cannot be divided as a timedelta can."""
    return datetime.fromtimestamp(moment.timestamp(), timezone.utc)


def _counts(listed: Listed) -> dict[str, int]:
    return {
        "orders": listed.orders,
        "windows": listed.windows,
        "unproven_windows": len(listed.unproven),
        "calls": listed.calls,
    }
