"""The three sides of a run by date, VTEX, ledger and ERP, and where they do not agree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, select

from vtex_erp.ledger import plans
from vtex_erp.ledger.entries import entry_from, take_back
from vtex_erp.ledger.stages import Stage
from vtex_erp.ledger.tables import findings, found_orders, order_entries, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vtex_erp.ledger.entries import Run, TaskTry
    from vtex_erp.ledger.ledger import Ledger

_CHUNK = 500


class Kind(str, Enum):
    """What can be wrong with an order."""

    NOT_IN_LEDGER = "not-in-ledger"
    MISSING_IN_ERP = "missing-in-erp"
    DRAFT_IN_ERP = "draft-in-erp"
    CANCELLED_IN_VTEX = "cancelled-in-vtex"
    CANCELLED_IN_ERP = "cancelled-in-erp"
    TOTAL_DIFFERS = "total-differs"
    STATUS_BEHIND = "status-behind"
    STUCK = "stuck"
    PARKED = "parked"
    ERP_UNKNOWN = "erp-unknown"


@dataclass(frozen=True)
class Sides:
    """What VTEX's list and the ledger say of an order; the ledger's side is None where it does not know it."""

    order_id: str
    listed_status: str | None
    listed_at: datetime | None
    listed_cents: int | None
    stage: Stage | None = None
    changed_at: datetime | None = None
    cause: str | None = None
    vtex_status: str | None = None
    value_cents: int | None = None
    currency: str | None = None
    erp_id: str | None = None


@dataclass(frozen=True)
class Finding:
    """One order that is not as it must be. Amounts in cents. `mended`: the run has set it right, or on its way."""

    order_id: str
    kind: Kind
    detail: str
    vtex_status: str | None = None
    vtex_cents: int | None = None
    erp_cents: int | None = None
    currency: str | None = None
    mended: bool = False


def sides(ledger: Ledger, run: Run) -> list[Sides]:
    """All orders that the run has found, as the list and the ledger have them; in the order of their dates."""
    entry = order_entries.c
    query = (
        select(
            found_orders.c.order_id,
            found_orders.c.listed_status,
            found_orders.c.listed_at,
            found_orders.c.listed_cents,
            entry.stage,
            entry.changed_at,
            entry.cause,
            entry.vtex_status,
            entry.value_cents,
            entry.currency,
            entry.erp_id,
        )
        .outerjoin(order_entries, and_(entry.account == run.account, entry.order_id == found_orders.c.order_id))
        .join(runs, runs.c.id == found_orders.c.run)
        .where(runs.c.dag_id == run.dag_id, runs.c.run_id == run.run_id)
        .order_by(found_orders.c.listed_at, found_orders.c.order_id)
    )
    with ledger.read() as connection:
        return [Sides(*row[:4], Stage(row[4]) if row[4] else None, *row[5:]) for row in connection.execute(query)]


def look_again(ledger: Ledger, task: TaskTry, order_ids: Sequence[str]) -> None:
    """Take orders back of which VTEX knows something else: the next run reads each, and does what its status says."""
    now = ledger.clock()
    query = (
        select(order_entries)
        .where(
            order_entries.c.account == task.run.account,
            order_entries.c.order_id.in_(order_ids),
            order_entries.c.stage == Stage.HANDLING.value,
        )
        .order_by(order_entries.c.id)
        .with_for_update()
    )
    with ledger.write() as connection:
        behind = [entry_from(row) for row in connection.execute(query)]
        take_back(connection, task, behind, Stage.CHANGED, now=now, note="VTEX says something else")
        connection.execute(
            order_entries.update()
            .where(order_entries.c.id.in_([entry.id for entry in behind]))
            .values(next_attempt_at=now, handling_requested_at=None)
        )


def keep(ledger: Ledger, run: Run, found: Sequence[Finding]) -> None:
    """Keep what was found, instead of what an earlier try of the run has found."""
    run_key = plans.register(ledger, run)
    rows = [
        {
            "run": run_key,
            "order_id": each.order_id,
            "kind": each.kind.value,
            "detail": each.detail,
            "vtex_status": each.vtex_status,
            "vtex_cents": each.vtex_cents,
            "erp_cents": each.erp_cents,
            "currency": each.currency,
            "mended": each.mended,
        }
        for each in found
    ]
    with ledger.write() as connection:
        connection.execute(delete(findings).where(findings.c.run == run_key))
        for start in range(0, len(rows), _CHUNK):
            connection.execute(findings.insert(), rows[start : start + _CHUNK])


def kept(ledger: Ledger, run: Run) -> list[Finding]:
    """What the run has found, by order id."""
    query = (
        select(
            findings.c.order_id,
            findings.c.kind,
            findings.c.detail,
            findings.c.vtex_status,
            findings.c.vtex_cents,
            findings.c.erp_cents,
            findings.c.currency,
            findings.c.mended,
        )
        .join(runs, runs.c.id == findings.c.run)
        .where(runs.c.dag_id == run.dag_id, runs.c.run_id == run.run_id)
        .order_by(findings.c.order_id)
    )
    with ledger.read() as connection:
        return [Finding(row[0], Kind(row[1]), *row[2:]) for row in connection.execute(query)]
