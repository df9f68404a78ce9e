from __future__ import annotations

from typing import Any

import pytest

from vtex_erp.errors import ConfigurationError
from vtex_erp.vtex.client import VtexSettings


def settings_of(**fields: Any) -> VtexSettings:
    given: dict[str, Any] = {
        "connection_id": "vtex_shop",
        "host": None,
        "login": "vtexappkey-shop-ABC",
        "password": "TOKEN",
        "extra": {"account": "shop"},
    }
    return VtexSettings.from_connection(**{**given, **fields})


def test_an_account_and_keys_are_enough() -> None:
    assert settings_of() == VtexSettings(
        account="shop",
        app_key="vtexappkey-shop-ABC",
        app_token="TOKEN",
        base_url="https://shop.vtexcommercestable.com.br",
        connection_id="vtex_shop",
        timeout_seconds=30,
        concurrency=32,
    )


def test_options_are_read_from_extra_as_numbers_or_as_text() -> None:
    extra = {"account": " shop ", "timeout_seconds": "2.5", "concurrency": 4}
    settings = settings_of(extra=extra, login=" KEY\n", password="\tTOKEN ")
    read = (settings.account, settings.app_key, settings.app_token)
    assert (*read, settings.timeout_seconds, settings.concurrency) == ("shop", "KEY", "TOKEN", 2.5, 4)


@pytest.mark.parametrize(
    ("host", "port", "schema", "base_url"),
    [
        ("https://shop.myvtex.com", None, None, "https://shop.myvtex.com"),
        ("http://127.0.0.1:8081/", None, None, "http://127.0.0.1:8081"),
        ("http://127.0.0.1", 8081, None, "http://127.0.0.1:8081"),
        ("shop.myvtex.com", None, None, "https://shop.myvtex.com"),
        ("shop.myvtex.com", 8443, "http", "http://shop.myvtex.com:8443"),
        ("https://proxy.example.com/vtex/", None, None, "https://proxy.example.com/vtex"),
        ("  ", None, None, "https://shop.vtexcommercestable.com.br"),
    ],
)
def test_base_url(host: str, port: int | None, schema: str | None, base_url: str) -> None:
    assert settings_of(host=host, port=port, schema=schema).base_url == base_url


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"extra": {}}, "account"),
        ({"extra": {"account": None}}, "account"),
        ({"extra": {"account": "my shop"}}, "account"),
        ({"extra": {"account": "shop.myvtex.com"}}, "account"),
        ({"login": None}, "App key"),
        ({"password": ""}, "App token"),
        ({"password": "TOKÉN"}, "App token"),
        ({"host": "ftp://shop.example.com"}, "Host"),
        ({"host": "https://user:secret@shop.example.com"}, "Host"),
        ({"host": "https://shop.example.com/?q=1"}, "Host"),
        ({"host": "https://shop example.com"}, "Host"),
        ({"host": "https://"}, "Host"),
        ({"host": "https://shop.example.com:port"}, "Host"),
        ({"extra": {"account": "shop", "timeout_seconds": 0}}, "timeout_seconds"),
        ({"extra": {"account": "shop", "timeout_seconds": "inf"}}, "timeout_seconds"),
        ({"extra": {"account": "shop", "concurrency": 1.5}}, "concurrency"),
        ({"extra": {"account": "shop", "concurrency": True}}, "concurrency"),
        ({"extra": {"account": "shop", "concurrency": "many"}}, "concurrency"),
        ({"extra": {"account": "shop", "hook_secret": "secreté"}}, "hook_secret"),
        ({"extra": {"account": "shop", "hook_secret": "one secret"}}, "hook_secret"),
        ({"extra": {"account": "shop", "hook_secret": "secret1,secret2,secret3"}}, "hook_secret"),
    ],
)
def test_what_is_wrong_is_named_with_its_connection(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"Connection 'vtex_shop', field {field}: put ") as caught:
        settings_of(**fields)
    assert "secret" not in str(caught.value).replace("field hook_secret", "")
    assert "TOK" not in str(caught.value)


def test_keys_are_not_in_the_representation() -> None:
    text = repr(settings_of(extra={"account": "shop", "hook_secret": "SESAME"}))
    assert "TOKEN" not in text
    assert "vtexappkey" not in text
    assert "SESAME" not in text


@pytest.mark.parametrize(
    ("given", "secrets"),
    [(None, ()), ("", ()), (" , ", ()), ("one", ("one",)), (" new ,old\n", ("new", "old")), ("one,", ("one",))],
)
def test_the_hook_has_a_secret_or_two(given: str | None, secrets: tuple[str, ...]) -> None:
    assert settings_of(extra={"account": "shop", "hook_secret": given}).hook_secrets == secrets


@pytest.mark.parametrize("on", [True, "true", " True "])
def test_data_protection_comes_with_its_reason(on: Any) -> None:
    settings = settings_of(extra={"account": "shop", "data_protection": on, "reason": " fulfilment "})
    assert (settings.data_protection, settings.reason) == (True, "fulfilment")


@pytest.mark.parametrize("off", [{}, {"data_protection": False}, {"data_protection": "", "reason": " "}])
def test_without_data_protection_there_is_no_reason(off: dict[str, Any]) -> None:
    assert not settings_of(extra={"account": "shop", **off}).data_protection


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({"data_protection": True}, "reason"),
        ({"data_protection": "true", "reason": "  "}, "reason"),
        ({"reason": "fulfilment"}, "data_protection"),
        ({"data_protection": False, "reason": "fulfilment"}, "data_protection"),
        ({"data_protection": "on", "reason": "fulfilment"}, "data_protection"),
    ],
)
def test_half_a_data_protection_is_refused_by_name(extra: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'vtex_shop', field {field}: "):
        settings_of(extra={"account": "shop", **extra})
