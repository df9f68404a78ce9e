"""Tryton's REST interface: one method for each kind of call, and one function from an answer to an error."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vtex_erp.erp.tryton.rights import NEEDED, lacking
from vtex_erp.errors import (
    ConfigurationError,
    CredentialsError,
    ParkError,
    RateLimitedError,
    RetryableError,
    UnclearError,
)
from vtex_erp.transport import Transport, is_html, redirect_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import requests

    from vtex_erp.erp.tryton.settings import TrytonSettings
    from vtex_erp.transport import Clock, Sleep

Record = dict[str, Any]

_DEFAULT_PAUSE_SECONDS = 10.0
_MAX_REASON = 10_000
_RIGHTS = "ir.model.access/get_access"


class RefusedError(ParkError):
    """Tryton does not do it, and says why: nothing was changed. `reason` is its own words, `gone` a missing record."""

    default_cause = "erp-refused:400"

    def __init__(self, message: str, *, reason: str = "", gone: bool = False, status: int = 400) -> None:
        super().__init__(message, cause=f"erp-refused:{status}", status=status)
        self.reason, self.gone = reason, gone


class TrytonApi:
    """Calls one database of a Tryton server. Threads share it. Data of persons goes into bodies, never into addresses.

    Every method raises RefusedError when Tryton refuses; CredentialsError; RateLimitedError; RetryableError
    (`unreachable`) when nothing was sent; UnclearError when it may have been done.
    """

    def __init__(self, settings: TrytonSettings, *, session: requests.Session, clock: Clock, sleep: Sleep) -> None:
        self.server = f"Tryton (connection {settings.connection_id!r})"
        self._database = settings.database
        self._hurried = threading.local()
        self._transport = Transport(
            f"{settings.base_url}/{quote(settings.database, safe='')}/rest/model",
            server=self.server,
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "Authorization": f"Bearer {settings.key}",
            },
            timeout_seconds=settings.timeout_seconds,
            default_pause=_DEFAULT_PAUSE_SECONDS,
            session=session,
            clock=clock,
            sleep=sleep,
        )

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Sleep through no pause that Tryton asks for: this thread holds a claim, which would run out meanwhile."""
        self._hurried.now = True
        try:
            yield
        finally:
            self._hurried.now = False

    def search(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], task: str, *, company: int | None = None
    ) -> list[Record]:
        """Give the fields of all records that the domain finds, by id; `a.b` reads through a relation."""
        body = {"domain": domain, "fields_names": [*fields, "id"], "order": [["id", "ASC"]]}
        answer = self._call("POST", f"{model}/search_read", task, body, company=company)
        if not isinstance(answer, list):
            raise UnclearError(f"{self.server} answered something else than a list when asked to {task}.")
        return [_plain(row) for row in answer]

    def create(
        self, model: str, values: Mapping[str, Any], fields: Sequence[str], task: str, *, company: int | None = None
    ) -> Record:
        """Create a record and give its id and fields."""
        return self._record("POST", f"{model}?{_fields(fields)}", task, values, company)

    def create_many(
        self, model: str, many: Sequence[Mapping[str, Any]], task: str, *, company: int | None = None
    ) -> list[int]:
        """Create all or none of the records; their ids, in the same order."""
        answer = self._call("POST", f"{model}/create", task, {"vlist": list(many)}, company=company)
        if not isinstance(answer, list) or len(answer) != len(many):
            raise UnclearError(f"{self.server} did not give the ids when asked to {task}.", status=200)
        return answer

    def write(
        self, model: str, record_id: int, values: Mapping[str, Any], task: str, *, company: int | None = None
    ) -> None:
        """Change fields of a record."""
        self._call("PUT", f"{model}/{record_id}?{_fields(())}", task, values, company=company, on_record=True)

    def press(
        self, model: str, record_id: int, button: str, fields: Sequence[str], task: str, *, company: int | None = None
    ) -> Record:
        """Press a button of a record and give its fields afterwards."""
        path = f"{model}/{record_id}/{button}?{_fields(fields)}"
        return self._record("POST", path, task, {}, company, on_record=True)

    def delete(self, model: str, record_id: int, task: str) -> None:
        """Delete a record; one that is gone is fine."""
        try:
            self._call("DELETE", f"{model}/{record_id}", task, None, on_record=True)
        except RefusedError as error:
            if not error.gone:
                raise

    def rights(self, models: Sequence[str], task: str) -> dict[str, dict[str, Any]]:
        """Tell what the key's user may do with each model: read, write, create, delete."""
        answer = self._call("POST", _RIGHTS, task, {"models": list(models)})
        return answer if isinstance(answer, dict) else {}

    def _record(
        self,
        method: str,
        path: str,
        task: str,
        body: Mapping[str, Any],
        company: int | None,
        *,
        on_record: bool = False,
    ) -> Record:
        answer = self._call(method, path, task, body, company=company, on_record=on_record)
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
            raise UnclearError(f"{self.server} gave no record when asked to {task}. Look before trying again.")
        return _plain(answer)

    def _call(
        self,
        method: str,
        path: str,
        task: str,
        body: Mapping[str, Any] | None,
        *,
        company: int | None = None,
        on_record: bool = False,
    ) -> Any:
        data = None if body is None else json.dumps(body, default=_encode, ensure_ascii=False).encode()
        context = {"_skip_warnings": True, **({} if company is None else {"company": company})}
        header = {"X-Tryton-Context": urlsafe_b64encode(json.dumps(context).encode()).decode()}
        try:
            patient = not getattr(self._hurried, "now", False)
            response = self._transport.send(method, f"/{path}", body=data, headers=header, patient=patient)
        except RateLimitedError:
            raise
        except UnclearError as error:
            raise UnclearError(f"{error.message} It was asked to {task}.", cause=error.cause) from error
        except RetryableError as error:
            raise RetryableError(f"{error.message} It was to {task}.", cause=error.cause) from error
        self._raise_for(response, path, task, on_record=on_record)
        if response.status_code == 204:
            return None
        try:
            return json.loads(response.content, object_hook=_decode)
        except (ValueError, RecursionError):
            raise self._unclear(response, task) from None

    def _raise_for(self, response: requests.Response, path: str, task: str, *, on_record: bool) -> None:
        """Turn an answer into an error, by what to do about it."""
        status = response.status_code
        if status in (401, 403):
            if status == 403 and path != _RIGHTS and self._has_rights(task):
                raise RefusedError(
                    f"{self.server} answered 403 when asked to {task}, though the key's user has the rights for it: "
                    "Tryton keeps this record from him. Check its company and his, then clear submit_orders.",
                    status=403,
                )
            raise CredentialsError(
                f"{self.server} answered {status} when asked to {task}: the application key is wrong, not validated, "
                "or its user lacks the rights. Check Password, and the user's groups in Tryton.",
                status=status,
            )
        if status == 404:
            raise self._missing(task, on_record=on_record)
        if status == 400 and (reason := _reason(response)) is not None:
            raise RefusedError(f"{self.server} refused to {task}: {reason}", reason=reason)
        if status not in (200, 204) or is_html(response):
            raise self._unclear(response, task)

    def _unclear(self, response: requests.Response, task: str) -> UnclearError:
        status = response.status_code
        return UnclearError(f"{self.server} {_description(response)} when asked to {task}.", status=status)

    def _has_rights(self, task: str) -> bool:
        given = self.rights(list(NEEDED), f"read the user's rights after a 403 ({task})")
        return not any(lacking(given))

    def _missing(self, task: str, *, on_record: bool) -> RefusedError | ConfigurationError:
        if on_record:
            return RefusedError(f"{self.server} does not hold the record any more: {task}.", gone=True, status=404)
        return ConfigurationError(
            f"{self.server} answered 404 when asked to {task}: it has no database {self._database!r}, or no REST "
            "interface (Tryton has it from 8.0 on). Check Host and Schema of the connection."
        )


def decimal(number: Decimal) -> Record:
    """Write a number as Tryton reads it."""
    return {"__class__": "Decimal", "decimal": format(number, "f")}


def _encode(value: object) -> Any:
    if isinstance(value, Decimal):
        return decimal(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to Tryton")


def _decode(value: Record) -> Any:
    return Decimal(value["decimal"]) if value.get("__class__") == "Decimal" else value


def _plain(record: Record) -> Record:
    """Drop the dot that search_read puts behind the name of a relation that was read through."""
    return {
        name.removesuffix("."): _nested(value)
        for name, value in sorted(record.items())  # `party.` comes after `party` and wins
        if name != "__name__"
    }


def _nested(value: Any) -> Any:
    if isinstance(value, dict):
        return _plain(value)
    return [_nested(part) for part in value] if isinstance(value, list) else value


def _fields(names: Sequence[str]) -> str:
    return "&".join(f"f={name}" for name in ("id", *names))


def _reason(response: requests.Response) -> str | None:
    """Give Tryton's own words for a refusal; None for an answer that is not Tryton's."""
    try:
        said = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return None
    return " ".join(f"{said['message']} {said.get('description') or ''}".split())[:_MAX_REASON]


def _description(response: requests.Response) -> str:
    if response.is_redirect:
        return f"answered {response.status_code} with a redirect to {redirect_host(response)}"
    kind = " with an HTML page" if is_html(response) else ""
    return f"answered {response.status_code}{kind}"
