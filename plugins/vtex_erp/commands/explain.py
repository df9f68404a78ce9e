"""`explain`: where every field of a sales order comes from, and what other rules would change."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vtex_erp.errors import ConfigurationError, ParkError
from vtex_erp.rules.apply import apply
from vtex_erp.rules.load import load_rules
from vtex_erp.rules.model import Rules
from vtex_erp.sales.leaves import leaves
from vtex_erp.sales.mapping import map_order
from vtex_erp.sales.provenance import SOURCES, any_entry
from vtex_erp.sales.redaction import redact
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterator, Sequence

    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.sales.model import SalesOrder

_HIDDEN = "•••"
_PERSONAL = re.compile(r"^customer\.|address\.|^note$|^party\.|^sale\.comment$")
_NOT_PERSONAL = re.compile(
    r"^customer\.(type|document_type|email_is_alias|company)$|address\.(type|country)$"
    r"|^party\.(document_type|(invoice|shipment)\.country)$"
)
"""Fields of the sales order, and of Tryton's payload."""
_MOST_IDS = 10


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("explain", help="where every field of a sales order comes from", description=__doc__)
    parser.add_argument("order", nargs="?", metavar="ORDER_ID|FILE.json", help="not needed with --diff")
    parser.add_argument("--rules", metavar="FILE", help="the mapping rules; none without it")
    parser.add_argument(
        "--diff", metavar="OTHER", help="what OTHER rules would change in the orders that are still kept"
    )
    parser.add_argument("--erp", choices=sorted(_PAYLOADS), default="rest", help="whose payload to print (rest)")
    parser.add_argument("--account", default="account", help="VTEX account, for a FILE, which does not name it")
    parser.add_argument("--show-personal-data", action="store_true", help="print the shopper's data too")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Explain one order, or compare rules; the exit status."""
    rules = load_rules(options.rules)
    if options.diff:
        _write(_differences(rules, load_rules(options.diff), options.order))
    elif options.order is None:
        raise ConfigurationError("Name an order id or a file with an order (or --diff OTHER).")
    else:
        account, text = _document(options.order, options.account)
        order = VtexOrder.from_json(text)
        _write(_explanation(order, account, rules, options.erp, shown=options.show_personal_data))
    return 0


def _write(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(line.rstrip() + "\n")


def _rest_payload(sales_order: SalesOrder, rules: Rules) -> Any:  # noqa: ARG001 - the interface of all payloads
    return json.loads(sales_order.to_json())


def _tryton_payload(sales_order: SalesOrder, rules: Rules) -> Any:  # noqa: ARG001
    """The sale before codes are looked up, by a connection that says nothing but defaults."""
    from vtex_erp.erp.tryton.people import buyer_of
    from vtex_erp.erp.tryton.sale import sale_of
    from vtex_erp.erp.tryton.settings import TrytonSettings

    sale = sale_of(sales_order, TrytonSettings("", "", "", ("the connection's first web shop",)))
    return json.loads(json.dumps({"sale": asdict(sale), "party": asdict(buyer_of(sales_order))}, default=str))


_PAYLOADS = {"rest": _rest_payload, "tryton": _tryton_payload}
"""By kind of ERP: what is sent for a sales order under the rules, as plain JSON data."""


def _document(name: str, account: str) -> tuple[str, str]:
    """Find the order: a file, else in the ledger, else at VTEX."""
    if name.endswith(".json") or Path(name).is_file():
        try:
            return account, Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(f"{name} cannot be read ({type(error).__name__}).") from None
    # Airflow takes a second to import, and a file needs none of it.
    from vtex_erp.hooks.fields import vtex_settings
    from vtex_erp.ledger.documents import held_orders
    from vtex_erp.vtex.client import VtexClient

    ledger = _ledger()
    try:
        for kept_account, _, text in held_orders(ledger, name):
            return kept_account, text
    finally:
        ledger.close()
    settings = vtex_settings("vtex_default")
    return settings.account, VtexClient(settings).get_order(name)


def _ledger() -> Ledger:
    from vtex_erp.hooks.ledger import LedgerHook

    return LedgerHook().get_ledger()


def _explanation(order: VtexOrder, account: str, rules: Rules, erp: str, *, shown: bool) -> Iterator[str]:
    plain = map_order(order, account=account)
    final = apply(plain, rules, order=order)
    by_rule = _rules_behind(plain, final, rules, order)
    fields = dict(leaves(final.model_dump(mode="json")))

    def value_of(field: str, value: Any) -> str:
        if value is None or value in ([], {}) or shown:
            return _text(value)
        if _is_personal(field):
            return _HIDDEN
        return redact(_text(value), plain) if by_rule.get(field) == "hook" else _text(value)

    yield f"Sales order {final.external_id}"
    yield ""
    rows = [("FIELD", "VALUE", "FROM VTEX", "RULE")]
    rows += [
        (field, value_of(field, value), _sources(field), by_rule.get(field, "")) for field, value in fields.items()
    ]
    yield from _columns(rows)
    yield ""
    totals = final.totals
    yield "Total: items - discounts + shipping + tax + other = total"
    parts = f"{totals.items} - {totals.discounts} + {totals.shipping} + {totals.tax} + {totals.other}"
    yield f"       {parts} = {totals.total}   (VTEX: value {order.value} cents)"
    yield ""
    missing = dict.fromkeys(any_entry(field) for field, value in fields.items() if value is None)
    yield f"Missing in VTEX's order: {', '.join(missing) or 'nothing'}"
    yield ""
    payload = dict(leaves(_PAYLOADS[erp](final, rules)))
    if payload == fields:
        yield f"ERP payload ({erp}): the sales order as it is above"
        return
    yield f"ERP payload ({erp})"
    personal = {_text(value) for field, value in fields.items() if value_of(field, value) == _HIDDEN}
    yield from _columns(
        [
            (path, _HIDDEN if _is_hidden(path, value, personal) else redact(_text(value), plain, final))
            for path, value in payload.items()
        ]
        if not shown
        else [(path, _text(value)) for path, value in payload.items()]
    )


def _is_personal(path: str) -> bool:
    return bool(_PERSONAL.search(path)) and not _NOT_PERSONAL.search(path)


def _is_hidden(path: str, value: Any, personal: Collection[str]) -> bool:
    """By its place; and by its value, where an ERP has a place of its own for it."""
    return (_is_personal(path) and value is not None and value not in ([], {})) or _text(value) in personal


def _rules_behind(plain: SalesOrder, final: SalesOrder, rules: Rules, order: VtexOrder) -> dict[str, str]:
    """Name the section behind each field, by applying every section alone; what is left is the hook's."""
    behind = dict.fromkeys(_changes(plain, final), "hook")
    for section in Rules.model_fields:
        if section not in rules.model_fields_set or section == "hook":
            continue
        alone = apply(plain, Rules(**{section: getattr(rules, section)}), order=order)
        changed = _changes(plain, alone).items() & _changes(plain, final).items()
        behind.update({field: section for field, _ in changed})
    return behind


def _changes(before: SalesOrder, after: SalesOrder) -> dict[str, str]:
    """Give the fields of `after` that differ from `before`, with their values."""
    old = dict(leaves(before.model_dump(mode="json")))
    new = dict(leaves(after.model_dump(mode="json")))
    return {field: _text(new.get(field)) for field in old.keys() | new.keys() if old.get(field) != new.get(field)}


def _sources(field: str) -> str:
    places = SOURCES.get(any_entry(field), ())
    index = re.match(r"lines(\[\d+\])", field)
    if index:
        places = tuple(place.replace("items[]", f"items{index[1]}", 1) for place in places)
    by_part: defaultdict[str, list[str]] = defaultdict(list)
    for place in places:
        part, dot, name = place.removesuffix(".**").rpartition(".")
        by_part[part + dot].append(name + place[len(part + dot + name) :])
    return ", ".join(
        part + (names[0] if len(names) == 1 else f"{{{', '.join(names)}}}") for part, names in by_part.items()
    )


def _text(value: Any) -> str:
    return value.replace("\n", " ⏎ ") if isinstance(value, str) else json.dumps(value)


def _columns(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [min(60, max(map(len, column))) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _differences(rules: Rules, other: Rules, only: str | None) -> Iterator[str]:
    """Map every order that the ledger holds by both rules; never a value, which may be a shopper's."""
    from vtex_erp.ledger.documents import held_orders

    ledger = _ledger()
    counts: Counter[str] = Counter()
    ids: defaultdict[str, list[str]] = defaultdict(list)
    orders = changed = 0
    try:
        for account, order_id, text in held_orders(ledger, only):
            orders += 1
            fields = _differing(_outcome(text, account, rules), _outcome(text, account, other))
            changed += bool(fields)
            for field in fields:
                counts[field] += 1
                ids[field].append(order_id)
    finally:
        ledger.close()
    yield f"{changed} of {orders} orders would change."
    rows = [("FIELD", "ORDERS", "ORDER IDS")]
    for field, count in counts.most_common():
        more = f" … and {count - _MOST_IDS} more" if count > _MOST_IDS else ""
        rows.append((field, str(count), " ".join(ids[field][:_MOST_IDS]) + more))
    if changed:
        yield from _columns(rows)


def _outcome(text: str, account: str, rules: Rules) -> SalesOrder | str:
    """Give the sales order, or the cause that parks it."""
    try:
        order = VtexOrder.from_json(text)
        return apply(map_order(order, account=account), rules, order=order)
    except ParkError as error:
        return error.cause


def _differing(before: SalesOrder | str, after: SalesOrder | str) -> set[str]:
    if isinstance(before, str) or isinstance(after, str):
        causes = [f"parked: {part}" if isinstance(part, str) else "mapped" for part in (before, after)]
        return set() if before == after else {f"{causes[0]} → {causes[1]}"}
    return {any_entry(field) for field in _changes(before, after)}
