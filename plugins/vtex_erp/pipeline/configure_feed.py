"""Configure: compare the feed and the hook at VTEX with what the store wants, and make them so when told to."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vtex_erp.errors import ConfigurationError, OrderNotFoundError, ParkError
from vtex_erp.ledger import feed, feed_history
from vtex_erp.ledger.reports import newest_orders
from vtex_erp.pipeline import feed_checks
from vtex_erp.pipeline.feed_checks import FeedFacts
from vtex_erp.pipeline.guard_feed import actual_feed, actual_hook
from vtex_erp.pipeline.report import span
from vtex_erp.stores.notices import NoticeKind
from vtex_erp.vtex.filters import Setting, compare, side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vtex_erp.ledger.entries import Run, TaskTry
    from vtex_erp.ledger.feed import FeedFinding
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.pipeline.guard_feed import FeedSetup
    from vtex_erp.vtex.client import VtexClient
    from vtex_erp.vtex.filters import EventFilter
    from vtex_erp.vtex.schemas import FeedConfiguration, HookConfiguration

_log = logging.getLogger(__name__)

_TRIED_ORDERS = 3
_MEASURED = timedelta(days=7)
_SHARE, _FEWEST_EVENTS = 0.95, 20
_LOOK_BACK = timedelta(days=30)


@dataclass(frozen=True)
class Comparison:
    """What a run has compared: every setting of the feed, and of the hook when one is wanted.

    `fill` is how full the feed is; `remarks` are known defects, what an expression took, and the like. `applied`: VTEX
    was told what is wanted. Nothing here is a secret.
    """

    feed: tuple[Setting, ...]
    hook: tuple[Setting, ...] = ()
    fill: str = ""
    remarks: tuple[str, ...] = ()
    applied: bool = False

    @property
    def differs(self) -> bool:
        """Whether VTEX has anything else than what is wanted."""
        return any(setting.differs for setting in (*self.feed, *self.hook))

    def table(self) -> str:
        """What is wanted and what VTEX has, in lines that stand under each other."""
        rows = [("", "setting", "wanted", "VTEX has")]
        for name, settings in (("feed", self.feed), ("hook", self.hook)):
            rows += [
                ("≠" if each.differs else "=", f"{name}: {each.field}", each.wanted, each.actual) for each in settings
            ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ("  ".join([*(row[column].ljust(widths[column]) for column in range(3)), row[3]]) for row in rows)
        return "\n".join(lines)

    def to_json(self) -> str:
        """Write it down."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """Read what was written down."""
        document: dict[str, Any] = json.loads(text)
        settings = {name: tuple(Setting(**each) for each in document[name]) for name in ("feed", "hook")}
        return cls(**settings, fill=document["fill"], remarks=tuple(document["remarks"]), applied=document["applied"])


def configure_feed(ledger: Ledger, task: TaskTry, vtex: VtexClient, setup: FeedSetup, *, apply: bool) -> Comparison:
    """Compare; the comparison, which is kept for its page. With `apply`, VTEX is told what is wanted where it differs.

    Raises ConfigurationError with cause `feed-differs` when something differs and is not applied, and with another one
    when VTEX refuses a filter, an expression, or the hook's address.
    """
    run = task.run
    looked = _look(ledger, run, vtex, setup)
    comparison = looked.comparison
    _log.info("What the stores file wants, and what VTEX has:\n%s\n%s", comparison.table(), comparison.fill)
    for remark in comparison.remarks:
        _log.warning("%s", remark)
    feed.keep_comparison(ledger, run, comparison.to_json())
    if looked.there(setup) is None:
        feed.open_gap(ledger, run.account, setup.way)
    if apply and comparison.differs:
        return _apply(ledger, run, vtex, setup, looked)
    wrong = _wrong(run, looked, setup)
    feed.note(ledger, run.account, [*wrong, *looked.short], (NoticeKind.FEED_DIFFERS, NoticeKind.VISIBILITY_SHORT))
    if wrong:
        raise ConfigurationError("\n".join(each.text for each in wrong), cause=NoticeKind.FEED_DIFFERS.value)
    return comparison


@dataclass(frozen=True)
class _Looked:
    """What VTEX has, and what came of comparing and trying it."""

    feed: FeedConfiguration | None
    hook: HookConfiguration | None
    comparison: Comparison
    short: list[FeedFinding]
    refusals: list[ConfigurationError]

    def there(self, setup: FeedSetup) -> FeedConfiguration | HookConfiguration | None:
        """The feed, or a store's only hook."""
        return self.feed if setup.feed else self.hook


def _look(ledger: Ledger, run: Run, vtex: VtexClient, setup: FeedSetup) -> _Looked:
    actual, hook = actual_feed(vtex), actual_hook(vtex)
    short = _visibility_short(ledger, run, actual, setup)
    tried, refusals = _try_all(ledger, run, vtex, _filters(setup))
    comparison = Comparison(
        feed=tuple(side_by_side(setup.feed, actual)) if setup.feed else (),
        hook=tuple(side_by_side(setup.hook, hook)) if setup.hook else (),
        fill=_fill(actual),
        remarks=(*_of_nobody(setup, actual, hook), *tried, *(each.text for each in short)),
    )
    return _Looked(actual, hook, comparison, short, refusals)


def _filters(setup: FeedSetup) -> dict[str, EventFilter]:
    wanted = {"feed": setup.feed, "hook": setup.hook}
    return {name: each.filter for name, each in wanted.items() if each}


def _fill(actual: FeedConfiguration | None) -> str:
    if actual is None or actual.quantity is None:
        return ""
    age = f", the oldest for {span(timedelta(seconds=actual.age_of_oldest_seconds or 0))}" if actual.quantity else ""
    return f"The feed holds {actual.quantity} events{age}."


def _of_nobody(setup: FeedSetup, actual: FeedConfiguration | None, hook: HookConfiguration | None) -> list[str]:
    if actual and setup.feed is None:
        said = (
            "VTEX has a feed for this app key, but the stores file says `feed: false`, so nobody reads it here. If "
            "nobody needs it, delete it (DELETE /api/orders/feed/config)."
        )
        return [said]
    if setup.hook or hook is None:
        return []
    said = (
        "VTEX has a hook for this app key that the stores file does not name: it calls "
        f"{urlsplit(hook.url).hostname}. It may be somebody else's, so it is left alone; if nobody needs it, delete it "
        "(DELETE /api/orders/hook/config)."
    )
    return [said]


def _try_all(
    ledger: Ledger, run: Run, vtex: VtexClient, filters: Mapping[str, EventFilter]
) -> tuple[list[str], list[ConfigurationError]]:
    """What is to be said of the filters, and what VTEX refuses of them."""
    remarks: list[str] = []
    refusals: list[ConfigurationError] = []
    for name, chosen in filters.items():
        remarks += [f"{name}: {warning}" for warning in chosen.warnings()]
        if chosen.expression is None:
            continue
        try:
            remarks.append(f"{name}: {_try(ledger, run, vtex, chosen.expression)}")
        except ConfigurationError as error:
            refusals.append(error)
            remarks.append(f"{name}: {error.message}")
    return remarks, refusals


def _try(ledger: Ledger, run: Run, vtex: VtexClient, expression: str) -> str:
    """Let VTEX try an expression on the newest orders. Raises ConfigurationError where VTEX refuses it."""
    vtex.try_expression(expression, "{}")  # what VTEX says of a mistake quotes nobody's order then
    orders = _documents(vtex, newest_orders(ledger, run.account, limit=_TRIED_ORDERS) or _listed(ledger, vtex))
    if not orders:
        return "VTEX takes the expression; there is no order to try it on."
    taken = [order_id for order_id, document in orders.items() if _takes(vtex, expression, order_id, document)]
    said = f"Of the newest orders ({', '.join(orders)}), the expression takes {', '.join(taken) or 'none'}."
    if vtex.settings.data_protection:
        return said
    return f"{said} They were tried in the orders API's shape; VTEX's filter sees that of /api/orders/pvt/document."


def _takes(vtex: VtexClient, expression: str, order_id: str, document: str) -> bool:
    try:
        return vtex.try_expression(expression, document)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"VTEX answers {error.status} when it tries the expression on order {order_id}. What it says may quote the "
            "order, so it is not here. Correct the expression.",
            cause=error.cause,
            status=error.status,
        ) from None


def _documents(vtex: VtexClient, order_ids: Sequence[str]) -> dict[str, str]:
    documents = {}
    for order_id in order_ids:
        with suppress(OrderNotFoundError, ParkError):
            documents[order_id] = vtex.get_order(order_id)
    return documents


def _listed(ledger: Ledger, vtex: VtexClient) -> list[str]:
    now = ledger.clock()
    page = vtex.list_orders(
        created_from=now - _LOOK_BACK, created_to=now, per_page=_TRIED_ORDERS, order_by="creationDate,desc"
    )
    return [row.order_id for row in page.rows]


def _visibility_short(
    ledger: Ledger, run: Run, actual: FeedConfiguration | None, setup: FeedSetup
) -> list[FeedFinding]:
    seconds = feed_history.commit_seconds(
        ledger, run.account, ledger.clock() - _MEASURED, share=_SHARE, fewest=_FEWEST_EVENTS
    )
    short = feed_checks.visibility_short(run.account, actual, seconds, suffix=setup.suffix)
    return [short] if short else []


def _wrong(run: Run, looked: _Looked, setup: FeedSetup) -> list[FeedFinding]:
    facts = FeedFacts(
        account=run.account,
        actual=looked.there(setup),
        way=setup.way,
        feed_differences=compare(setup.feed, looked.feed) if setup.feed and looked.feed else (),
        hook_differences=compare(setup.hook, looked.hook) if setup.hook and (setup.feed or looked.hook) else (),
        suffix=setup.suffix,
    )
    return [each for each in (feed_checks.missing(facts), feed_checks.differs(facts)) if each]


def _apply(ledger: Ledger, run: Run, vtex: VtexClient, setup: FeedSetup, looked: _Looked) -> Comparison:
    if looked.refusals:
        raise looked.refusals[0]
    before = looked.comparison
    if setup.feed and any(setting.differs for setting in before.feed):
        vtex.configure_feed(setup.feed)
    if setup.hook and any(setting.differs for setting in before.hook):
        vtex.configure_hook(setup.hook)
    feed.end_gaps(ledger, run.account)
    feed.mended(ledger, run.account, [NoticeKind.FEED_DIFFERS])
    after = _wrong(run, replace(looked, feed=actual_feed(vtex), hook=actual_hook(vtex)), setup)
    if after:
        said = "VTEX has answered that it took the configuration, but has another one. Run this again."
        raise ConfigurationError("\n".join([said, *(each.text for each in after)]), cause="feed-differs")
    applied = replace(before, applied=True)
    feed.keep_comparison(ledger, run, applied.to_json())
    _log.info("VTEX has taken it: feed and hook are as wanted.")
    return applied
