"""The fields of an Airflow connection, read with errors that tell a person what to put where."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from vtex_erp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADER_SAFE = frozenset(string.ascii_letters + string.digits + string.punctuation)


@dataclass(frozen=True)
class ConnectionFields:
    """A connection as Airflow stores it, without Airflow. Everything that may be secret stays out of repr."""

    connection_id: str
    connection_type: str
    host: str | None = None
    port: int | None = None
    schema: str | None = None
    login: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def wrong(self, field_name: str, advice: str) -> ConfigurationError:
        """Make the error that names this connection and one of its fields."""
        return ConfigurationError(f"Connection {self.connection_id!r}, field {field_name}: {advice}")

    def base_url(self, *, default: str | None = None) -> str:
        """Give scheme, host, port and path, without a slash at the end; https where no scheme is given.

        Raises ConfigurationError where that is no http(s) address, or one with a login, query or fragment.
        """
        host = (self.host or "").strip() or default
        if not host:
            raise self.wrong("Host", "put the base URL, such as https://erp.example.com")
        url = host if "://" in host else f"{(self.schema or 'https').strip()}://{host}"
        try:
            return _plain_address(url, self.port)
        except (ValueError, requests.RequestException):
            raise self.wrong(
                "Host", "put an address like https://erp.example.com: http or https, no login, no query"
            ) from None

    def number(self, name: str, *, default: float) -> float:
        """Give the number above zero under `name` in Extra; text is taken too (URIs hold only text)."""
        value = self.extra.get(name)
        try:
            number = default if value in (None, "") else float(str(value))
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            raise self.wrong(name, f"put a number above zero, such as {default:g}")
        return number

    def whole_number(self, name: str, *, default: int) -> int:
        """Give the whole number above zero under `name` in Extra."""
        number = self.number(name, default=default)
        if number != int(number):
            raise self.wrong(name, f"put a whole number, such as {default}")
        return int(number)

    def flag(self, name: str) -> bool:
        """Give the yes or no under `name` in Extra, off when it is missing; `true` as text is taken too."""
        value = self.extra.get(name)
        told = {"": False, "false": False, "true": True}.get("" if value is None else str(value).strip().lower())
        if told is None:
            raise self.wrong(name, "put true or false")
        return told

    def secret(self, field_name: str, value: str | None, *, advice: str) -> str:
        """Give a key or token, without the blanks that copying adds; it must fit into an HTTP header."""
        secret = (value or "").strip()
        if not secret or not _HEADER_SAFE.issuperset(secret):
            raise self.wrong(field_name, advice)
        return secret


def _plain_address(url: str, port: int | None) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("not an http(s) address")
    if parts.query or parts.fragment or any(character.isspace() for character in url):
        raise ValueError("more than an address")
    netloc = parts.netloc if parts.port or not port else f"{parts.netloc}:{port}"
    address = f"{parts.scheme}://{netloc}{parts.path}".rstrip("/")
    requests.PreparedRequest().prepare_url(address, None)
    return address
