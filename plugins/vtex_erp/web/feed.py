"""The page of a comparison: the wanted feed and hook beside those at VTEX, in one HTML document."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from vtex_erp.web.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vtex_erp.ledger.entries import Run
    from vtex_erp.pipeline.configure_feed import Comparison
    from vtex_erp.vtex.filters import Setting


def page(run: Run, comparison: Comparison) -> str:
    """Write the page. It holds settings and remarks, and no secret."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>Feed of {escape(run.account)}</title><style>{STYLE}</style></head><body>"
        f"<h1>Feed and hook</h1><p class='sub'>{escape(run.dag_id)} · {escape(run.run_id)} · "
        f"account {escape(run.account)}</p>{_verdict(comparison)}<p>{escape(comparison.fill)}</p>"
        f"{_table(comparison)}{_remarks(comparison.remarks)}</body></html>"
    )


def _verdict(comparison: Comparison) -> str:
    if not comparison.differs:
        return "<p class='good'>VTEX has what the stores file wants.</p>"
    if comparison.applied:
        return "<p class='good'>Applied: VTEX has what the stores file wants. It had something else before.</p>"
    different = sum(setting.differs for setting in (*comparison.feed, *comparison.hook))
    number = "1 setting differs" if different == 1 else f"{different} settings differ"
    return (
        f"<p><span class='bad'>{number}.</span> If the stores file is right, run this DAG by hand with "
        "<code>apply</code>; if VTEX is right, correct the stores file.</p>"
    )


def _table(comparison: Comparison) -> str:
    there = "At VTEX before" if comparison.applied else "At VTEX"
    return (
        f"<table><thead><tr><th>Setting</th><th>Wanted (stores file)</th><th>{there}</th></tr></thead>"
        f"{_part('Feed', comparison.feed)}{_part('Hook', comparison.hook)}</table>"
    )


def _part(title: str, settings: Sequence[Setting]) -> str:
    rows = "".join(map(_row, settings))
    return f"<tbody><tr><td colspan='3'><h2>{title}</h2></td></tr>{rows}</tbody>" if settings else ""


def _row(setting: Setting) -> str:
    mark = " class='bad'" if setting.differs else ""
    return (
        f"<tr><td class='id'>{escape(setting.field)}</td><td>{escape(setting.wanted)}</td>"
        f"<td{mark}>{escape(setting.actual)}</td></tr>"
    )


def _remarks(remarks: Sequence[str]) -> str:
    if not remarks:
        return ""
    return f"<h2>Remarks</h2><ul>{''.join(f'<li>{escape(remark)}</li>' for remark in remarks)}</ul>"
