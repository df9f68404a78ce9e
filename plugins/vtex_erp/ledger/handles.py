"""What a feed handle says of itself: it is a JWT (facts: the decoded handle).

Nothing here is proven, since only VTEX can check the signature; it helps to notice mistakes and to tidy up.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vtex_erp.vtex.schemas import FeedEvent


def account_of(handle: str | None) -> str | None:
    """The account whose feed gave the handle; None where it does not say."""
    return _claim(handle, "Account")


def app_key_of(handle: str | None) -> str | None:
    """The app key that the handle was given to; None where it does not say."""
    return _claim(handle, "AppKey")


def queue_item_of(event: FeedEvent) -> str | None:
    """The item of the feed's queue that was delivered, the same in every redelivery.

    Two items may hold the same event, even under the same event id; each has handles, and a commit, of its own.
    """
    return _claim(event.handle, "MessageId") or event.event_id


def _claim(handle: str | None, name: str) -> str | None:
    parts = (handle or "").split(".")
    if len(parts) != 3:  # header, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    claim = claims.get(name) if isinstance(claims, dict) else None
    return claim if isinstance(claim, str) and claim else None
