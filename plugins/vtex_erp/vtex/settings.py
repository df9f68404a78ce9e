"""The settings of a VTEX account, from its connection."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vtex_erp.connection import ConnectionFields
from vtex_erp.vtex.budget import Family, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
_ENVIRONMENT = "vtexcommercestable.com.br"

MOST_HOOK_SECRETS = 2
"""One, and another while it is being changed."""


@dataclass(frozen=True)
class VtexSettings:
    """Where one VTEX account is, and the keys to it.

    `timeout_seconds` is the longest silence of VTEX in one call; `concurrency` the number of threads that
    call at the same time; `limits` are the account's requests per minute. An account with data protection (VTEX's
    PII data architecture) has a `reason`, which VTEX audits at each read of a shopper's clear data.

    `hook_secrets` are what a call of VTEX's hook may prove itself with: the first is the one to configure at VTEX, a
    second one is on its way out. Without any, no call is taken.
    """

    account: str
    app_key: str = field(repr=False)
    app_token: str = field(repr=False)
    base_url: str
    connection_id: str = "vtex_default"
    timeout_seconds: float = 30
    concurrency: int = 32
    limits: Limits = field(default_factory=Limits)
    reason: str | None = None
    hook_secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def data_protection(self) -> bool:
        """Whether the account's orders are read and handled under VTEX's other endpoints."""
        return self.reason is not None

    @classmethod
    def from_connection(
        cls,
        connection_id: str,
        host: str | None,
        login: str | None,
        password: str | None,
        extra: Mapping[str, Any],
        port: int | None = None,
        schema: str | None = None,
    ) -> VtexSettings:
        """Read the fields of a connection of type `vtex`.

        Host is the base URL, empty for `https://{account}.vtexcommercestable.com.br` (the only environment
        that VTEX lists: Orders API, servers); login the app key, password the app token; Extra has `account`,
        and if wanted `timeout_seconds`, `concurrency`, `requests_per_minute` of the account, and
        `feed_requests_per_minute` and the like for a family of calls; for an account with data protection
        `data_protection` (true) and `reason`; for the hook `hook_secret`, or two with a comma between them.

        Raises ConfigurationError naming the connection, the field and what to put there.
        """
        fields = ConnectionFields(connection_id, "vtex", host, port, schema, login, password, extra)
        account = _account(fields)
        return cls(
            account=account,
            app_key=fields.secret("App key", login, advice="put the app key (vtexappkey-…)"),
            app_token=fields.secret("App token", password, advice="put the app token that VTEX showed once"),
            base_url=fields.base_url(default=f"https://{account}.{_ENVIRONMENT}"),
            connection_id=connection_id,
            timeout_seconds=fields.number("timeout_seconds", default=cls.timeout_seconds),
            concurrency=fields.whole_number("concurrency", default=cls.concurrency),
            limits=_limits(fields),
            reason=_reason(fields),
            hook_secrets=_hook_secrets(fields),
        )


def _account(fields: ConnectionFields) -> str:
    account = str(fields.extra.get("account") or "").strip()
    if not _ACCOUNT.fullmatch(account):
        raise fields.wrong("account", "put the VTEX account name, such as mystore, into Extra")
    return account


def _reason(fields: ConnectionFields) -> str | None:
    """Read the two settings of data protection, of which neither works without the other."""
    reason = str(fields.extra.get("reason") or "").strip()
    protected = fields.flag("data_protection")
    if protected and not reason:
        raise fields.wrong("reason", "data_protection is on: put why shoppers' clear data is read, which VTEX audits")
    if reason and not protected:
        raise fields.wrong("data_protection", "reason is set: put true, or leave the reason empty")
    return reason or None


def _hook_secrets(fields: ConnectionFields) -> tuple[str, ...]:
    given = [each for each in str(fields.extra.get("hook_secret") or "").split(",") if each.strip()]
    advice = (
        "put a long random text of ASCII letters and digits; while it is being changed the new one, a comma, the old"
    )
    if len(given) > MOST_HOOK_SECRETS:
        raise fields.wrong("hook_secret", advice)
    return tuple(fields.secret("hook_secret", each, advice=advice) for each in given)


def _limits(fields: ConnectionFields) -> Limits:
    account = fields.number("requests_per_minute", default=Limits.account)

    def limit(family: Family, default: float = account) -> float:
        return fields.number(f"{family.value}_requests_per_minute", default=min(default, account))

    return Limits(
        account, limit(Family.FEED), limit(Family.READ), limit(Family.LIST, Limits.list), limit(Family.ACTION)
    )
