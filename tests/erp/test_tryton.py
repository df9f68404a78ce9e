"""The Tryton client without Tryton: settings, answers, amounts, and what is missing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.erp.orders import sales_order
from tests.fake_http import LOGIN_PAGE, Answer, FakeServer, FakeTime
from vtex_erp import errors
from vtex_erp.connection import ConnectionFields
from vtex_erp.erp.claims import OwnClaims, alone
from vtex_erp.erp.protocol import Unknown
from vtex_erp.erp.registry import client_for
from vtex_erp.erp.tryton.api import RefusedError
from vtex_erp.erp.tryton.client import TrytonErpClient
from vtex_erp.erp.tryton.money import parts
from vtex_erp.erp.tryton.rights import NEEDED
from vtex_erp.erp.tryton.settings import TrytonSettings

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = TrytonSettings("https://tryton.example.com", "books", "KEY", ("Shop",))
HTML = {"Content-Type": "text/html"}


def client_of(*script: Answer | Exception) -> tuple[TrytonErpClient, FakeServer]:
    server, passing = FakeServer(*script), FakeTime()
    client = TrytonErpClient(
        SETTINGS, claims=OwnClaims(), session=server.session, clock=passing.clock, sleep=passing.sleep
    )
    return client, server


# Settings


def fields(**given: Any) -> ConnectionFields:
    whole: dict[str, Any] = {"host": "https://tryton", "schema": "books", "password": "KEY", **given}
    whole["extra"] = {"web_shops": "Shop", **whole.get("extra", {})}
    return ConnectionFields("erp_default", "tryton", **whole)


def test_settings_from_a_connection() -> None:
    extra = {"web_shops": " Shop, Outlet ,", "product_codes": "ean,sku", "concurrency": "3", "create_products": "true"}
    client = client_for(fields(extra={**extra, "product_category": "All"}, schema=" books "), OwnClaims())
    assert isinstance(client, TrytonErpClient)
    settings = client.settings
    assert (settings.web_shops, settings.product_codes, settings.database) == (
        ("Shop", "Outlet"),
        ("ean", "sku"),
        "books",
    )
    assert (client.concurrency, settings.create_products, settings.product_category) == (3, True, "All")
    assert "KEY" not in repr(settings)
    assert settings.shop_for("Outlet") == "Outlet"
    assert {settings.shop_for(channel) for channel in ("1", "", None)} == {"Shop"}
    assert settings.shop_for("Outlett") == "Outlett"  # which then parks the order by name


def test_the_database_is_no_scheme_of_the_host() -> None:
    client = client_for(fields(host="tryton.example.com"), OwnClaims())
    assert isinstance(client, TrytonErpClient)
    assert client.settings.base_url == "https://tryton.example.com"


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"schema": ""}, "field Schema: put the name of Tryton's database"),
        ({"password": None}, "field Password: put the application key"),
        ({"host": ""}, "field Host: put the base URL"),
        ({"extra": {"web_shops": ""}}, "field web_shops: put the name of the web shop"),
        ({"extra": {"product_codes": "ref_id,upc"}}, "field product_codes: 'upc' is not one of"),
        ({"extra": {"webshops": "Shop"}}, "field webshops: Tryton's connection has no such field; it has charge_prod"),
        ({"extra": {"timeout_seconds": "301"}}, "field timeout_seconds: put at most 300"),
        ({"extra": {"create_products": "perhaps"}}, "field create_products: put true or false"),
        ({"extra": {"create_products": True}}, "field product_category: put the accounting category"),
    ],
)
def test_a_connection_that_cannot_be_used(given: dict[str, Any], advice: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=advice):
        client_for(fields(**given), OwnClaims())


# Answers


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401, "<html>", HTML), errors.CredentialsError),
        (Answer(403, "<html>", HTML), errors.CredentialsError),
        (Answer(404, "<html>", HTML), errors.ConfigurationError),
        (Answer(429), errors.RateLimitedError),
        (Answer(400, {"status": 400, "message": "No.", "description": "Never."}), errors.ParkError),
        (Answer(400, "<html>", HTML), errors.UnclearError),
        (Answer(409, "<html>", HTML), errors.UnclearError),
        (Answer(500, "<html>", HTML), errors.UnclearError),
        (Answer(503, "<html>", HTML), errors.UnclearError),
        (Answer(302, b"", {"Location": "https://login.example.com/x?secret"}), errors.UnclearError),
        (LOGIN_PAGE, errors.UnclearError),
        (Answer(200, b"[1,"), errors.UnclearError),
        (Answer(200, {"id": 1}), errors.UnclearError),
    ],
)
def test_an_answer_is_an_error_by_what_to_do_about_it(answer: Answer, kind: type[errors.VtexErpError]) -> None:
    client, _ = client_of(answer)
    with pytest.raises(kind) as caught:
        client.api.search("web.shop", [], [], "look")
    assert type(caught.value) is kind or isinstance(caught.value, errors.ParkError)
    assert "secret" not in str(caught.value)
    assert "KEY" not in str(caught.value)


def test_a_403_on_one_record_is_that_order_s_unless_the_user_lacks_rights() -> None:
    every = {model: dict.fromkeys(("read", "write", "create", "delete"), True) for model in NEEDED}
    for rights, kind in ((every, RefusedError), ({}, errors.CredentialsError)):
        client, server = client_of(Answer(403, "<html>", HTML), Answer(200, rights))
        with pytest.raises(kind) as caught:
            client.api.press("sale.sale", 1, "quote", [], "quote it")
        assert caught.value.status == 403
        assert len(server.requests) == 2


def test_what_is_sent() -> None:
    client, server = client_of(Answer(200, []))
    client.api.search("sale.sale", [["a", "=", Decimal("1.50")]], ["number"], "look", company=7)
    request = server.requests[0]
    assert (request.method, request.url) == (
        "POST",
        "https://tryton.example.com/books/rest/model/sale.sale/search_read",
    )
    assert request.headers["Authorization"] == "Bearer KEY"
    assert server.body()["domain"] == [["a", "=", {"__class__": "Decimal", "decimal": "1.50"}]]


def test_a_relation_that_was_read_through_stands_under_its_own_name() -> None:
    row = {"id": 1, "company": 3, "company.": {"id": 3, "timezone": "UTC", "__name__": "x"}, "lines.": [{"id": 5}]}
    client, _ = client_of(Answer(200, [row]))
    assert client.api.search("web.shop", [], [], "look") == [
        {"id": 1, "company": {"id": 3, "timezone": "UTC"}, "lines": [{"id": 5}]}
    ]


def test_who_holds_a_claim_does_not_sleep_through_a_pause() -> None:
    client, server = client_of(Answer(429, headers={"Retry-After": "7"}), Answer(200, []), Answer(200, []))
    with client.api.hurried():
        for _ in range(2):
            with pytest.raises(errors.RateLimitedError) as caught:
                client.api.search("party.party", [], [], "look")
            assert caught.value.retry_after == 7
    assert len(server.requests) == 1
    assert client.api.search("party.party", [], [], "look") == []


def test_a_lookup_in_trouble_is_unknown_and_names_the_web_shop_that_is_not_there() -> None:
    client, _ = client_of(Answer(503))
    assert isinstance(client.lookup("shop:1"), Unknown)
    client, _ = client_of(Answer(200, []))
    with pytest.raises(errors.ConfigurationError, match="field web_shops: Tryton has no web shop 'Shop'"):
        assert client.catalogue.shops


CALLS: dict[str, Callable[[TrytonErpClient], object]] = {
    "lookup": lambda client: client.lookup_many(["shop:1"]),
    "ensure": lambda client: client.ensure(sales_order("1")),
    "cancel": lambda client: client.cancel("shop:1", reason="asked"),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_key_that_is_not_taken_stops_everything(call: str) -> None:
    client, _ = client_of(Answer(401))
    with pytest.raises(errors.CredentialsError):
        CALLS[call](client)


# Amounts


@pytest.mark.parametrize(
    ("total", "quantity", "expected"),
    [
        ("10.00", "1", [("1", "10.0000")]),
        ("10.00", "3", [("3", "3.3333")]),
        ("1.79", "0.9", [("0.9", "1.9889")]),
        ("0.00", "5", [("5", "0.0000")]),
        ("0.00", "0", [("0", "0.00")]),
        ("1.01", "1234", [("1133", "0.00"), ("101", "0.01")]),
        ("1000.03", "1000", [("997", "1.00"), ("3", "1.01")]),
    ],
)
def test_a_total_is_one_price_or_two(total: str, quantity: str, expected: list[tuple[str, str]]) -> None:
    assert parts(Decimal(total), Decimal(quantity)) == [(Decimal(q), Decimal(p)) for q, p in expected]


@pytest.mark.parametrize("cents", [0, 1, 7, 99, 100, 12345, 98765432, -250])
def test_the_parts_make_the_total_as_tryton_multiplies(cents: int) -> None:
    for quantity in map(Decimal, (*range(1, 130), 999, 12345, "0.35", "2.5", "123.45", "4321.075")):
        made = parts(Decimal(cents) / 100, quantity)
        assert sum(each for each, _ in made) == quantity
        # Tryton rounds half to even, as Python does.
        assert sum(round(each * price, 2) for each, price in made) == Decimal(cents) / 100
        assert all(price == round(price, 4) for _, price in made)


# Claims


def test_a_claim_is_held_after_an_unclear_create_and_released_after_any_other() -> None:
    passing = FakeTime()
    claims = OwnClaims(passing.clock)
    ended = [errors.UnclearError("ended", status=status) for status in (500, 413, 200)]
    for error in (errors.ParkError("no"), errors.RetryableError("later"), KeyError(), *ended):
        with pytest.raises(type(error)), alone(claims, ["a", "b"], "x", passing.sleep) as held, held.creating():
            raise error
    with pytest.raises(errors.UnclearError), alone(claims, ["a", "b"], "x", passing.sleep):
        raise errors.UnclearError("a lookup, by which nothing can have been created")
    for status in (None, 504):
        error = errors.UnclearError("perhaps", status=status)
        with pytest.raises(type(error)), alone(claims, [f"{status}"], "x", passing.sleep) as held, held.creating():
            raise error
        assert isinstance(claims.take([f"{status}"], seconds=1), float)
    with pytest.raises(errors.UnclearError), alone(claims, ["a", "b"], "x", passing.sleep) as held, held.creating():
        raise errors.UnclearError("perhaps")
    with pytest.raises(errors.RetryableError) as caught, alone(claims, ["b", "c"], "x", passing.sleep):
        raise AssertionError("never")
    assert caught.value.cause == "claimed-by-another"
    passing.now += 600
    with alone(claims, ["b", "c"], "x", passing.sleep):
        assert isinstance(claims.take(["c"], seconds=1), float)
    assert isinstance(claims.take(["c"], seconds=1), str)
