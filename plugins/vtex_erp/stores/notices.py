"""Who is told of what: the kinds of notices, and the Airflow notifiers that carry them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from vtex_erp.sales.model import SalesOrder
from vtex_erp.settings_file import Section


class NoticeKind(str, Enum):
    """What somebody may want to be told of."""

    CANCELLATION_REQUESTED = "cancellation-requested"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    CANCELLED_TOO_LATE = "cancelled-too-late"
    READY_AGAIN = "ready-again-after-cancellation"
    PARKED = "parked"
    FEED_MISSING = "feed-missing"
    FEED_DIFFERS = "feed-differs"
    FEED_OLD = "feed-old"
    FEED_SHARED = "feed-shared"
    FEED_SILENT = "feed-silent"
    VISIBILITY_SHORT = "visibility-short"


TITLES: Mapping[NoticeKind, str] = {
    NoticeKind.CANCELLATION_REQUESTED: "Cancellation asked for: order {about}",
    NoticeKind.CANCELLED: "Cancelled: order {about}",
    NoticeKind.REPLACED: "Replaced by another order: order {about}",
    NoticeKind.CANCELLED_TOO_LATE: "Cancelled in VTEX, too late for the ERP: order {about}",
    NoticeKind.READY_AGAIN: "Ready again after its cancellation: order {about}",
    NoticeKind.PARKED: "Waits for a person: order {about}",
    NoticeKind.FEED_MISSING: "VTEX holds no feed for {about}",
    NoticeKind.FEED_DIFFERS: "The feed or hook of {about} is not as wanted",
    NoticeKind.FEED_OLD: "Events of {about} are about to expire in VTEX's feed",
    NoticeKind.FEED_SHARED: "Somebody else uses the feed of {about}",
    NoticeKind.FEED_SILENT: "No events of {about} for longer than usual",
    NoticeKind.VISIBILITY_SHORT: "The feed's visibility timeout of {about} is too short",
}

_FIELDS = ("kind", "store", "account", "about", "title", "text", "at")
_TEXT = "{{ notice.title }}\n{{ notice.text }}"

NOTIFIERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "smtp": (
        "airflow.providers.smtp.notifications.smtp.SmtpNotifier",
        {"subject": "{{ notice.title }}", "html_content": "<p>{{ notice.text | e | replace('\n', '<br>') }}</p>"},
    ),
    "slack": ("airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier", {"text": _TEXT}),
    "apprise": (
        "airflow.providers.apprise.notifications.apprise.AppriseNotifier",
        {"title": "{{ notice.title }}", "body": "{{ notice.text }}"},
    ),
    "webhook": (
        "airflow.providers.http.notifications.http.HttpNotifier",
        {
            "json": {
                name: f"{{{{ notice.{name} }}}}"
                for name in ("kind", "store", "account", "about", "title", "text", "at")
            }
        },
    ),
}
"""By short name: an Airflow notifier's class, and what it is given unless the settings say otherwise."""

_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def _notifier(name: str) -> str:
    if name not in NOTIFIERS and not _CLASS.fullmatch(name):
        raise ValueError(
            f"{name!r} is no notifier; put one of {', '.join(NOTIFIERS)}, or the path of a notifier's class"
        )
    return name


def _plain(value: Any) -> Any:
    """Settings files hold only text; notifiers have switches, too."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return {"true": True, "false": False}.get(value, value)


def _field(path: str) -> str:
    model: Any = SalesOrder
    for part in path.split("."):
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            raise ValueError(f"{path!r} is no field of the sales order; put one such as customer.name")
        model = next((each for each in _types(fields[part].annotation) if hasattr(each, "model_fields")), None)
    return path


def _types(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *getattr(annotation, "__args__", ()))


class Told(Section):
    """Somebody who is told of what happens, by one of Airflow's notifiers."""

    notifier: Annotated[str, AfterValidator(_notifier)] = Field(
        description="`smtp`, `slack`, `apprise`, `webhook`, or the path of a notifier's class."
    )
    of: tuple[NoticeKind, ...] = Field(default=tuple(NoticeKind), description="The kinds of notices; all without it.")
    settings: Mapping[str, Any] = Field(
        default={},
        description="What the notifier is made with, such as `to` or `http_conn_id`; Jinja templates see `notice`.",
    )
    personal_data: tuple[Annotated[str, AfterValidator(_field)], ...] = Field(
        default=(),
        description="Fields of the sales order that `notice.personal` holds, such as customer.name. None without it.",
    )

    @field_validator("settings")
    @classmethod
    def _with_switches(cls, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        plain: Mapping[str, Any] = _plain(dict(settings))
        return plain
