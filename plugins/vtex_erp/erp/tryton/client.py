"""The ERP client for Tryton."""

from __future__ import annotations

import logging
import time
from decimal import Decimal
from typing import TYPE_CHECKING

from vtex_erp.erp.protocol import Absent, Cancellation, Found, Guarantee, Lookup, Unknown
from vtex_erp.erp.tryton.api import Record, RefusedError, TrytonApi
from vtex_erp.erp.tryton.catalogue import Catalogue
from vtex_erp.erp.tryton.drafts import DRAFT, Draft, Drafts, task_of
from vtex_erp.erp.tryton.parties import Parties
from vtex_erp.erp.tryton.products import Products
from vtex_erp.erp.tryton.sale import Sale, sale_of
from vtex_erp.errors import ParkError, RetryableError, UnclearError, VtexErpError, attempt
from vtex_erp.transport import Clock, Sleep, pooled_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import requests

    from vtex_erp.erp.claims import Claims
    from vtex_erp.erp.tryton.settings import TrytonSettings
    from vtex_erp.sales.model import SalesOrder

_log = logging.getLogger(__name__)

_SALE_FIELDS = ("number", "state", "total_amount", "web_id", "company")
_QUOTATION, _CONFIRMED, _CANCELLED = "quotation", "confirmed", "cancelled"
_UNFINISHED = (DRAFT, _QUOTATION)
_MOST_DIFFERENCES = 3


class TrytonErpClient:
    """Speaks to Tryton. Any number of threads may share it; what it looks up there, it remembers.

    A 429 stops all threads for what Retry-After says, else ten seconds, three times at most. Nothing else is tried
    again here.
    """

    guarantee: Guarantee = Guarantee.UNIQUE
    settle_seconds: float = 0.0
    at_once: int = 10

    def __init__(
        self,
        settings: TrytonSettings,
        *,
        claims: Claims,
        session: requests.Session | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.settings = settings
        self.concurrency: int = settings.concurrency
        session = session or pooled_session(settings.base_url, concurrency=settings.concurrency)
        self.api = TrytonApi(settings, session=session, clock=clock, sleep=sleep)
        self.catalogue = Catalogue(self.api, settings)
        parties = Parties(self.api, self.catalogue, claims, sleep)
        products = Products(self.api, self.catalogue, claims, sleep)
        self.drafts = Drafts(self.api, settings, self.catalogue, parties, products)

    def lookup(self, external_id: str) -> Lookup:
        """Ask for the sale of the order, whatever its web shop; a draft or quotation is found, and not finished."""
        try:
            sale = self._find(external_id, f"look up order {external_id}")
        except RetryableError as error:
            return Unknown(error.message)
        return Absent() if sale is None else _found(sale)

    def lookup_many(self, external_ids: Iterable[str]) -> Mapping[str, Lookup]:
        """Ask for many in one call; all are Unknown when it does not get through."""
        wanted = list(external_ids)
        try:
            sales = self._find_all(wanted, f"look up {len(wanted)} orders")
        except RetryableError as error:
            return dict.fromkeys(wanted, Unknown(error.message))
        return {each: _found(sales[each]) if each in sales else Absent() for each in wanted}

    def ensure(self, sales_order: SalesOrder) -> str:
        """Have the order as a confirmed sale; the number of the sale. See ErpClient.ensure for the errors.

        Raises ParkError besides: `sku-not-mapped:<sku>`, `unit-not-mapped:<unit>`, `tax-not-mapped:<name>`,
        `currency-not-in-erp:<code>`, `erp-total-differs`, `cancelled-in-erp`.
        """
        (outcome,) = self.ensure_many([sales_order])
        if isinstance(outcome, VtexErpError):
            raise outcome
        return outcome

    def ensure_many(self, sales_orders: Sequence[SalesOrder]) -> list[str | VtexErpError]:
        """Have the orders, which are different ones, as confirmed sales; each one's number, or its error.

        Customers and drafts are made in one call each; where Tryton refuses one of many, they are halved.
        """
        orders = {order.external_id: order for order in sales_orders}
        sales = {name: sale_of(order, self.settings) for name, order in orders.items()}
        drafts = attempt(self._standing, sales, orders)
        if isinstance(drafts, ParkError) and len(orders) > 1:  # for one of them
            return [attempt(self.ensure, order) for order in sales_orders]
        if isinstance(drafts, VtexErpError):
            return [drafts] * len(sales_orders)
        return [self._outcome(drafts[order.external_id], sales[order.external_id]) for order in sales_orders]

    def cancel(self, external_id: str, *, reason: str) -> Cancellation:
        """Cancel the sale as far as Tryton lets: until it is processed. After that it is too late."""
        task = f"cancel order {external_id}"
        found = self._find(external_id, task)
        if found is None:
            return Cancellation.UNKNOWN_ORDER
        try:
            state = self._press(found, "draft", task)["state"] if found["state"] == _CONFIRMED else found["state"]
            if state in _UNFINISHED:
                state = self._press(found, "cancel", task)["state"]
        except RefusedError:
            again = self._find(external_id, task)
            state = again["state"] if again else _CANCELLED
        if state == _CANCELLED:
            _log.info("Sale %s of order %s is cancelled: %s.", _name(found), external_id, reason)
            return Cancellation.CANCELLED
        _log.warning(
            "Sale %s of order %s is %s: Tryton does not cancel it any more. Cancel its shipments, and its invoice if "
            "it is not posted, then let Tryton ignore them in the sale; what has left must come back.",
            _name(found),
            external_id,
            state,
        )
        return Cancellation.TOO_LATE

    def _find(self, external_id: str, task: str) -> Record | None:
        return self._find_all([external_id], task).get(external_id)

    def _find_all(self, external_ids: list[str], task: str) -> dict[str, Record]:
        # Also in web shops that the connection no longer names. Of an order in two of them, what is further on counts.
        rows = self.api.search("sale.sale", [["web_id", "in", external_ids]], _SALE_FIELDS, task)
        return {row["web_id"]: row for row in sorted(rows, key=_progress)}

    def _standing(self, sales: Mapping[str, Sale], orders: Mapping[str, SalesOrder]) -> dict[str, Draft]:
        """The sale of each order as it stands, made as a draft where there is none."""
        standing: dict[str, Draft] = {}
        for name, found in self._find_all(list(sales), task_of(sales)).items():
            left = attempt(self._left, found, sales[name], orders[name])
            standing |= {name: left} if left else {}
        return standing | self.drafts.make({k: v for k, v in sales.items() if k not in standing}, orders)

    def _left(self, found: Record, sale: Sale, order: SalesOrder) -> Record | None:
        """The sale, if it may be taken on; one that is to be made anew is removed."""
        task = f"create order {sale.web_id}: make it anew"
        # A total that differs waited for a person; the rules or the products may have been mended instead.
        differs = found["state"] == DRAFT and found["total_amount"] != sale.total
        if differs or (found["state"] in _UNFINISHED and self.drafts.is_outdated(found["id"], sale, order, task)):
            self._remove(found, task)
            return None
        return found

    def _outcome(self, draft: Draft, sale: Sale) -> str | VtexErpError:
        task = f"create order {sale.web_id}"
        if isinstance(draft, RefusedError):
            # Perhaps because another worker has just made it; Tryton's words for that are in any language.
            draft = attempt(self._find, sale.web_id, task) or draft
        if isinstance(draft, VtexErpError):
            return draft
        return attempt(self._finish, draft, sale, task)

    def _finish(self, found: Record, sale: Sale, task: str) -> str:
        """Take the sale on from where it stands until it is confirmed."""
        if found["state"] == DRAFT:
            found = self._step(found, "quote", sale, task)
        if found["state"] == _QUOTATION:
            self._compare(found, sale, task)
            found = self._step(found, "confirm", sale, task)
        if found["state"] == _CANCELLED:
            raise ParkError(
                f"Sale {_name(found)} of order {sale.web_id} is cancelled in Tryton. Set it back to draft there and "
                "clear submit_orders, or cancel the order in VTEX.",
                cause="cancelled-in-erp",
            )
        if found["state"] in _UNFINISHED:
            raise UnclearError(f"Somebody has put sale {_name(found)} of order {sale.web_id} back to {found['state']}.")
        return _name(found)

    def _step(self, found: Record, button: str, sale: Sale, task: str) -> Record:
        """Press a button. Refused, where nobody else has pressed it, the draft goes and the order is parked."""
        try:
            return self._press(found, button, task)
        except RefusedError as error:
            again = self._find(sale.web_id, task)
            if error.gone or (again and again["id"] != found["id"]):
                message = f"Somebody has deleted sale {_name(found)} of order {sale.web_id}, or made it anew."
                raise UnclearError(message, status=error.status) from error
            if again and again["state"] != found["state"]:
                return again  # another worker is at the same order
            if again:
                self._remove(again, task)
            raise ParkError(f"{error.message} Nothing of it is left there.", cause=error.cause, status=400) from error

    def _remove(self, sale: Record, task: str) -> None:
        if sale["state"] == _QUOTATION:
            self._press(sale, "draft", task)
        self.api.delete("sale.sale", sale["id"], f"{task}: delete its draft")

    def _press(self, sale: Record, button: str, task: str) -> Record:
        fields = _SALE_FIELDS if button == "quote" else ("number", "state")
        task, company = f"{task}: {button}", _company(sale)
        return self.api.press("sale.sale", sale["id"], button, fields, task, company=company)

    def _compare(self, found: Record, sale: Sale, task: str) -> None:
        if found["total_amount"] == sale.total:
            return
        differing = "; ".join(self._differences(found, sale, task)) or "its lines are right, its taxes are not"
        self._press(found, "draft", task)
        raise ParkError(
            f"Order {sale.web_id} is {sale.total:.2f} in VTEX, its sale {_name(found)} {found['total_amount']:.2f} in "
            f"Tryton: {differing}. It stays a draft. Mend it or the rules, then clear submit_orders.",
            cause="erp-total-differs",
        )

    def _differences(self, found: Record, sale: Sale, task: str) -> list[str]:
        fields = ["amount", "product.code", "sequence"]
        rows = self.api.search("sale.line", [["sale", "=", found["id"]], ["type", "=", "line"]], fields, task)
        made = {row["sequence"]: row for row in rows}
        words = []
        for index, line in enumerate(sale.lines, 1):
            row = made.pop(index, None)
            amount = row["amount"] if row else None
            if amount != line.amount:
                words.append(f"line {index} {(line.products or ('',))[0]} {line.amount:.2f} became {amount}")
        words += [f"Tryton added {(row.get('product') or {}).get('code')} {row['amount']}" for row in made.values()]
        more = len(words) - _MOST_DIFFERENCES
        return words[:_MOST_DIFFERENCES] + ([f"{more} more lines"] if more > 0 else [])


def _progress(sale: Record) -> int:
    return 0 if sale["state"] in _UNFINISHED else 1 if sale["state"] == _CANCELLED else 2


def _company(sale: Record) -> int:
    company: int = sale["company"]
    return company


def _name(sale: Record) -> str:
    return str(sale["number"] or f"draft {sale['id']}")


def _found(sale: Record) -> Found:
    total = sale["total_amount"]
    return Found(
        _name(sale),
        total=total if isinstance(total, Decimal) else None,
        cancelled=sale["state"] == _CANCELLED,
        finished=sale["state"] not in _UNFINISHED,
    )
