"""What the clients of VTEX and of an ERP share: a pooled session, a pause for all threads, clear failures."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from vtex_erp.errors import RateLimitedError, RetryableError, UnclearError

Clock = Callable[[], float]
Sleep = Callable[[float], None]

TOO_MANY_REQUESTS = 429
MAX_PAUSES = 3
LONGEST_PAUSE_SECONDS = 300.0
"""A longer pause is not slept through in a worker slot: RateLimitedError hands it to Airflow's retry."""

_CONNECT_TIMEOUT_SECONDS = 10.0
_SHORTEST_PAUSE_SECONDS = 1.0


def pooled_session(base_url: str, *, concurrency: int) -> requests.Session:
    """Open a session that keeps a connection per thread and never retries by itself.

    HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE are read here, once; at each request that would cost more
    than the request. Cookies and ~/.netrc are not used: the keys are the only identity.
    """
    session = requests.Session()
    environment = session.merge_environment_settings(base_url, {}, None, None, None)
    session.proxies, session.verify = dict(environment["proxies"]), environment["verify"]
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=concurrency, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class Pause:
    """The moment until which no thread of one client calls. Thread-safe."""

    def __init__(self, *, clock: Clock, sleep: Sleep) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._until = -math.inf

    def ask(self, seconds: float) -> None:
        """Stop every thread for `seconds` from now, or longer if that was asked before."""
        with self._lock:
            self._until = max(self._until, self._clock() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds until calls may go on, 0 when they may now."""
        return max(0.0, self._until - self._clock())

    def wait(self) -> None:
        """Sleep until calls may go on; another thread may lengthen the pause meanwhile."""
        for _ in range(MAX_PAUSES):
            left = self.remaining
            if not left:
                return
            self._sleep(left)


class Budget(Protocol):
    """Says when a request may go out; whoever shares the other side's limit shares the budget. Thread-safe."""

    def take(self, family: str) -> None:
        """Wait until one request of the family may go out.

        Raises RateLimitedError, without waiting, when that is more than five minutes away.
        """

    def slow_down(self, seconds: float) -> None:
        """The other side answered 429: nobody calls for `seconds`, and all go on at a slower pace."""


class Unlimited:
    """The budget of a server whose limit nobody told us: only its own 429 stops anything."""

    def take(self, family: str) -> None:
        """Let the request go."""

    def slow_down(self, seconds: float) -> None:
        """Nobody else to tell."""


class Transport:
    """Sends requests to one base URL: timeout, verified TLS, no redirects, a 429 stops all threads.

    `server` names the other side and its connection in messages ("VTEX (connection 'vtex_default')").
    `default_pause` is how many seconds a 429 without Retry-After asks for. Every request is taken from `budget`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        server: str,
        headers: Mapping[str, str],
        timeout_seconds: float,
        default_pause: float,
        session: requests.Session,
        clock: Clock,
        sleep: Sleep,
        budget: Budget | None = None,
    ) -> None:
        self.server = server
        self._base_url, self._headers, self._session = base_url, dict(headers), session
        self._timeout = (min(_CONNECT_TIMEOUT_SECONDS, timeout_seconds), timeout_seconds)
        self._default_pause = default_pause
        self._pause = Pause(clock=clock, sleep=sleep)
        self._budget = budget or Unlimited()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        family: str = "",
        patient: bool = True,
    ) -> requests.Response:
        """Send, and give any answer but 429.

        Raises RateLimitedError after three pauses, or at once when the pause asked for is longer than five
        minutes, or when the caller is not `patient`; RetryableError (`unreachable`) when nothing was sent;
        UnclearError (`no-answer`) when the request may have arrived.
        """
        for _ in range(MAX_PAUSES + 1 if patient else 1):
            if self._pause.remaining > (LONGEST_PAUSE_SECONDS if patient else 0):
                break
            self._pause.wait()
            self._budget.take(family)
            response = self._attempt(method, path, params, body, {**self._headers, **(headers or {})})
            if response.status_code != TOO_MANY_REQUESTS:
                return response
            seconds = retry_after(response) or self._default_pause
            self._pause.ask(seconds)
            self._budget.slow_down(seconds)
        raise RateLimitedError(
            f"{self.server} asks for fewer calls (429). Calls go on in {self._pause.remaining:.0f} seconds.",
            status=TOO_MANY_REQUESTS,
            retry_after=self._pause.remaining,
        )

    def _attempt(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self._base_url + path,
                params=params,
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise self._failure(error) from error

    def _failure(self, error: requests.RequestException) -> RetryableError:
        reason = _root(error)
        if _never_sent(error):
            return RetryableError(
                f"{self.server} at {self._base_url} could not be reached ({reason}). "
                "If that lasts, check the Host of the connection, DNS and the proxy.",
                cause="unreachable",
            )
        return UnclearError(f"{self.server} at {self._base_url} gave no complete answer ({reason}).", cause="no-answer")


def _reason(error: requests.RequestException) -> object:
    first = error.args[0] if error.args else None
    return getattr(first, "reason", None) or error


def _root(error: requests.RequestException) -> str:
    return type(_reason(error)).__name__


def _never_sent(error: requests.RequestException) -> bool:
    """Tell whether no connection was made. A failed TLS handshake is not told from a TLS failure later."""
    before_sending = (requests.ConnectTimeout, requests.exceptions.ProxyError)
    return isinstance(error, before_sending) or isinstance(_reason(error), (NewConnectionError, ConnectTimeoutError))


def retry_after(response: requests.Response) -> float | None:
    """Give the seconds that Retry-After asks for (a number or an HTTP date), None without a usable one.

    A date is compared to the server's own Date, so that a wrong clock on either side does not matter.
    """
    text = response.headers.get("Retry-After", "").strip()
    seconds = _number(text)
    if seconds is None:
        until, now = _http_date(text), _http_date(response.headers.get("Date", ""))
        if until is None:
            return None
        seconds = (until - (now or datetime.now(timezone.utc))).total_seconds()
    return max(_SHORTEST_PAUSE_SECONDS, seconds)


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def is_html(response: requests.Response) -> bool:
    """Tell a page for people from an answer for programs, by its type or its first character."""
    kind: str = response.headers.get("Content-Type", "")
    return "html" in kind.lower() or response.content.lstrip()[:1] == b"<"


def redirect_host(response: requests.Response) -> str:
    """Give the host that a redirect points to; the rest of the address may hold secrets."""
    location: str = response.headers.get("Location", "")
    return location.partition("://")[2].partition("/")[0].rpartition("@")[2] or "another path"
