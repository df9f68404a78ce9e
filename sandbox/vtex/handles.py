"""Commit handles: signed JWTs that carry SQS's receipt handle, minted at each delivery of a feed item."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from sandbox.web import to_json

ISSUER = "broadcast-api.vtexcommerce.com.br"
_NAME_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
_SECRET = b"the sandbox signs its own handles"


def mint(claims: dict[str, Any], *, account: str, app_key: str) -> str:
    """Sign the claims of one delivery (HS256), with the names that VTEX's own handles carry."""
    payload = {
        _NAME_CLAIM: app_key,
        "AppKey": app_key,
        "Account": account,
        **claims,
        "iss": ISSUER,
        "aud": f"{account}_{app_key}",
    }
    signed = f"{_HEADER}.{_encode(to_json(payload))}"
    return f"{signed}.{_sign(signed)}"


def read(handle: object) -> dict[str, Any] | None:
    """Read the claims of a handle that this module signed; None for any other text."""
    if not isinstance(handle, str) or handle.count(".") != 2:
        return None
    signed, signature = handle.rsplit(".", 1)
    if not hmac.compare_digest(_sign(signed).encode(), signature.encode()):
        return None
    try:
        claims: dict[str, Any] = json.loads(_decode(signed.split(".")[1]))
    except (ValueError, binascii.Error):
        return None
    return claims


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sign(signed: str) -> str:
    return _encode(hmac.new(_SECRET, signed.encode(), hashlib.sha256).digest())


_HEADER = _encode(to_json({"alg": "HS256", "typ": "JWT"}))
