"""The page of a reconciliation: one HTML document that needs nothing else, with a chart by day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from vtex_erp.ledger.stages import OPEN, Stage
from vtex_erp.web.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from vtex_erp.ledger.entries import Run
    from vtex_erp.ledger.found import Listed
    from vtex_erp.ledger.reconciliations import Finding, Sides

_GROUPS = {"in the ERP": "#2a78b5", "needs nothing": "#b9c4cc", "does not agree": "#d1495b"}
_HEIGHT, _BAR, _GAP, _LEFT, _LABEL = 160, 22, 8, 52, 24


@dataclass(frozen=True)
class _Day:
    day: date | None
    counts: Mapping[str, int]

    @property
    def label(self) -> str:
        return f"{self.day:%d %b}" if self.day else "no date"

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def page(run: Run, listed: Listed, sides: Sequence[Sides], found: Sequence[Finding]) -> str:
    """Write the page. It holds order ids, statuses and amounts, and no shopper's data."""
    days = _by_day(sides, {each.order_id for each in found})
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>Reconciliation {escape(run.run_id)}</title><style>{STYLE}</style></head><body>"
        f"<h1>Reconciliation</h1><p class='sub'>{escape(run.dag_id)} · {escape(run.run_id)} · "
        f"account {escape(run.account)}</p>{_verdict(listed, sides, found)}{_chart(days)}{_findings(found)}"
        "</body></html>"
    )


def _by_day(sides: Iterable[Sides], wrong: set[str]) -> list[_Day]:
    counts: dict[date | None, Counter[str]] = {}
    for order in sides:
        day = order.listed_at.date() if order.listed_at else None
        counts.setdefault(day, Counter())[_group(order, wrong)] += 1
    return [_Day(day, counts[day]) for day in sorted(counts, key=str)]


def _group(order: Sides, wrong: set[str]) -> str:
    if order.order_id in wrong or order.stage in OPEN or order.stage in (None, Stage.PARKED):
        return "does not agree"
    return "in the ERP" if order.stage is Stage.HANDLING else "needs nothing"


def _verdict(listed: Listed, sides: Sequence[Sides], found: Sequence[Finding]) -> str:
    waiting = sum(not each.mended for each in found)
    unproven = len(listed.unproven)
    proof = (
        f"<span class='bad'>{unproven} of {listed.windows} windows could not be read completely</span>"
        if unproven
        else f"{listed.windows} window{'' if listed.windows == 1 else 's, each'} proven complete"
    )
    wrong = (
        f"<span class='bad'>{waiting} wait for a person</span>"
        if waiting
        else "<span class='good'>nothing waits for a person</span>"
    )
    return f"<p>{len(sides)} orders ({proof}); {len(found)} do not agree, {wrong}.</p>"


def _chart(days: Sequence[_Day]) -> str:
    if not days:
        return ""
    most = max(day.total for day in days)
    width = _LEFT + len(days) * (_BAR + _GAP) + _LABEL
    bars = "".join(_bar(day, _LEFT + index * (_BAR + _GAP), most) for index, day in enumerate(days))
    keys = "".join(f"<span class='key' style='background:{color}'></span>{name}" for name, color in _GROUPS.items())
    return (
        f"<h2>Orders by day</h2><p class='sub'>{keys}</p>"
        f"<svg width='{width}' height='{_HEIGHT + 40}' role='img' aria-label='Orders by day'>"
        f"<text x='0' y='12'>{most}</text><text x='0' y='{_HEIGHT}'>0</text>"
        f"<line x1='{_LEFT - 6}' x2='{width}' y1='{_HEIGHT}' y2='{_HEIGHT}' stroke='#9aa7b1'/>{bars}</svg>"
    )


def _bar(day: _Day, left: int, most: int) -> str:
    parts, top = [], float(_HEIGHT)
    for name, color in _GROUPS.items():
        count = day.counts.get(name, 0)
        height = _HEIGHT * count / most
        top -= height
        title = f"<title>{day.label}: {count} {name}</title>"
        if count:
            parts.append(
                f"<rect x='{left}' y='{top:.1f}' width='{_BAR}' height='{height:.1f}' fill='{color}'>{title}</rect>"
            )
    middle = left + _BAR / 2
    parts.append(
        f"<text x='{middle}' y='{_HEIGHT + 12}' transform='rotate(35 {middle} {_HEIGHT + 12})'>{day.label}</text>"
    )
    return "".join(parts)


def _findings(found: Sequence[Finding]) -> str:
    if not found:
        return ""
    rows = "".join(_row(each) for each in sorted(found, key=lambda each: (each.mended, each.kind.value)))
    return (
        "<h2>What does not agree</h2><table><thead><tr><th>Order</th><th>Finding</th><th>VTEX says</th>"
        "<th class='amount'>in VTEX</th><th class='amount'>in the ERP</th><th>What to do</th></tr></thead>"
        f"<tbody>{rows}</tbody><tfoot>{_sums(found)}</tfoot></table>"
    )


def _row(each: Finding) -> str:
    kind = f"{escape(each.kind.value)}{' <span class=good>mended</span>' if each.mended else ''}"
    return (
        f"<tr><td class='id'>{escape(each.order_id)}</td><td class='id'>{kind}</td>"
        f"<td>{escape(each.vtex_status or '')}</td>"
        f"<td class='amount'>{_money(each.vtex_cents, each.currency)}</td>"
        f"<td class='amount'>{_money(each.erp_cents, each.currency)}</td><td>{escape(each.detail)}</td></tr>"
    )


def _sums(found: Sequence[Finding]) -> str:
    sums: dict[str, Counter[str]] = {}
    for each in found:
        by_side = sums.setdefault(each.currency or "", Counter())
        by_side["vtex"] += each.vtex_cents or 0
        by_side["erp"] += each.erp_cents or 0
    return "".join(
        f"<tr><th colspan='3'>Sum</th><th class='amount'>{_money(by_side['vtex'], currency)}</th>"
        f"<th class='amount'>{_money(by_side['erp'], currency)}</th><th></th></tr>"
        for currency, by_side in sorted(sums.items())
    )


def _money(cents: int | None, currency: str | None) -> str:
    return "" if cents is None else f"{Decimal(cents) / 100:,.2f} {escape(currency or '')}".strip()
