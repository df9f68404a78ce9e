"""A server and a clock for tests of HTTP clients: scripted answers, requests that are kept, time for free."""

from __future__ import annotations

import io
import json
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse


class Answer:
    def __init__(self, status: int = 200, body: Any = b"", headers: dict[str, str] | None = None) -> None:
        is_json = not isinstance(body, (bytes, str))
        self.status = status
        self.body = json.dumps(body).encode() if is_json else body if isinstance(body, bytes) else body.encode()
        self.headers = {**({"Content-Type": "application/json"} if is_json else {}), **(headers or {})}


LOGIN_PAGE = Answer(200, "<!DOCTYPE html><html>Log in</html>", {"Content-Type": "text/html; charset=utf-8"})


class FakeServer(BaseAdapter):
    """Gives the scripted answers in turn, the last one for ever; an exception in the script is raised."""

    def __init__(self, *script: Answer | Exception) -> None:
        super().__init__()
        self.script = list(script)
        self.requests: list[requests.PreparedRequest] = []
        self.options: list[dict[str, Any]] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        self.requests.append(request)
        self.options.append(options)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        response = requests.Response()
        response.status_code, response.url, response.request = step.status, str(request.url), request
        response.headers = CaseInsensitiveDict(step.headers)
        response.raw = HTTPResponse(io.BytesIO(step.body), headers=step.headers, preload_content=False)
        return response

    def close(self) -> None:
        """Nothing is open."""

    @property
    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self)
        session.mount("http://", self)
        return session

    def body(self, number: int = -1) -> Any:
        return json.loads(self.requests[number].body or b"null")


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
