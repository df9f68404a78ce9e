"""A real Tryton for tests: prepared once, one server for each database, and an empty web shop for each test."""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vtex_erp.erp.claims import Claims, OwnClaims
from vtex_erp.erp.tryton.client import TrytonErpClient
from vtex_erp.erp.tryton.settings import TrytonSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.tryton.proxy import Proxy
    from sandbox.tryton.server import Tryton

_numbers = itertools.count(1)

CREATE_SALE = r"/sale\.sale/create$"
CREATE_PARTY = r"/party\.party/create$"
BUTTON = r"/sale\.sale/\d+/\w+$"
SEARCH = r"/search_read$"


class TrytonRig:
    """An empty web shop of a running Tryton, in which no order is known, a proxy in front, and a client with a key."""

    def __init__(self, tryton: Tryton, proxy: Proxy, *, claims: Claims | None = None, **settings: Any) -> None:
        self.tryton, self.proxy = tryton, proxy
        proxy.heal()
        proxy.calls.clear()
        self.shop = f"Shop {next(_numbers)}-{secrets.token_hex(3)}"
        tryton.add_shop(self.shop)
        tryton.forget_web_ids()
        key = secrets.token_hex(32)
        self._key_id = tryton.add_key(key)
        self.settings = TrytonSettings(proxy.url, tryton.database, key, (self.shop,), timeout_seconds=20)
        self.settings = replace(self.settings, **settings)
        self.claims = claims or OwnClaims()
        self.client = self.new_client()

    def new_client(self, sleep: Callable[[float], None] = time.sleep, **settings: Any) -> TrytonErpClient:
        """Another worker's client, which has looked nothing up yet."""
        return TrytonErpClient(replace(self.settings, **settings), claims=self.claims, sleep=sleep)

    def sales(self, external_id: str | None = None) -> list[dict[str, Any]]:
        sales = self.tryton.sales(self.shop)
        return [sale for sale in sales if external_id in (None, sale["web_id"])]

    def sale(self, external_id: str) -> dict[str, Any]:
        (sale,) = self.sales(external_id)
        return sale

    def parties(self, code: str) -> list[dict[str, Any]]:
        domain = [["identifiers.code", "=", code]]
        fields = ["name", "identifiers.code", "identifiers.type", "addresses.street", "addresses.city"]
        fields += ["contact_mechanisms.type", "contact_mechanisms.value"]
        return self.tryton.admin.search("party.party", domain, fields, "find parties")

    def lines(self, external_id: str) -> list[dict[str, Any]]:
        fields = [
            "product.code",
            "quantity",
            "unit_price",
            "amount",
            "description",
            "note",
            "unit.symbol",
            "taxes.name",
        ]
        domain = [["sale", "=", self.sale(external_id)["id"]]]
        return sorted(
            self.tryton.admin.search("sale.line", domain, [*fields, "sequence"], "read the lines"),
            key=lambda line: line["sequence"],
        )

    # ErpRig

    def creations(self, external_id: str) -> int:
        return len([sale for sale in self.sales(external_id) if sale["state"] != "draft"])

    def lose_next_answer(self) -> None:
        self.proxy.fail(CREATE_SALE, "drop", effect="done", times=1)

    def hiccup_once(self) -> None:
        self.proxy.fail(CREATE_SALE, status=503, times=1)
        self.proxy.fail(r"/sale\.sale/\d+/(draft|cancel)$", status=503, times=1)

    def refuse(self, external_id: str) -> None:
        body = '{"status": 400, "message": "no such article", "description": ""}'
        self.proxy.fail(CREATE_SALE, status=400, body=body)

    def go_dark(self) -> None:
        self.proxy.fail(SEARCH, "html", status=502)

    def lock_out(self) -> None:
        self.tryton.withdraw_key(self._key_id)

    def ship(self, external_id: str) -> None:
        self.tryton.ship(self.sale(external_id)["id"])
