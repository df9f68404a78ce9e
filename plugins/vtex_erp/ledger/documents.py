"""Orders and sales orders at rest: compressed, encrypted, and gone when they expire."""

from __future__ import annotations

import hashlib
import hmac
import os
import tempfile
import zlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import delete, select, tuple_

from vtex_erp.errors import ConfigurationError
from vtex_erp.ledger.tables import documents, order_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.ledger import Ledger

ORDER = "order"
SALES_ORDER = "sales_order"

KEY_VARIABLE = "VTEX_ERP_DOCUMENT_KEY"


class DocumentCipher:
    """Encrypts documents with the first key and decrypts with any of them, so that keys can be rotated.

    `keys` are Fernet keys (32 bytes, URL-safe base64).
    """

    def __init__(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise ConfigurationError(
                "A document key of the order ledger is not a Fernet key. Make one with: python -c "
                '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
            ) from error

        self._hash_key = b"".join(key.encode() for key in keys[:1])

    def digest(self, text: str) -> str:
        """A keyed hash in hex, 64 characters: equal for equal texts, and useless without the first key."""
        return hmac.new(self._hash_key, text.encode(), hashlib.sha256).hexdigest()

    def encrypt(self, text: str) -> bytes:
        """Compress and encrypt."""
        return self._fernet.encrypt(zlib.compress(text.encode()))

    def decrypt(self, ciphertext: bytes) -> str:
        """The text again. Raises `ConfigurationError` when no key fits."""
        try:
            return zlib.decompress(self._fernet.decrypt(bytes(ciphertext))).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                "The order ledger's documents were encrypted with another key. Put the old key back "
                f"(extra `document_key` of the connection order_ledger, or {KEY_VARIABLE}; several keys are "
                "separated by commas, the first one encrypts), or, if it is lost, clear `fetch_orders` with "
                "downstream: the orders are read from VTEX again and nothing is sent twice.",
                cause="document-key",
            ) from error


def cipher_from(key: str | None, *, key_file: Path | None = None) -> DocumentCipher:
    """The cipher for the configured key, else for the one in `key_file`, made there on first use (mode 0600).

    `key_file` goes with the embedded SQLite ledger; without it a key must be configured.
    Raises `ConfigurationError` when there is no key.
    """
    key = key or os.environ.get(KEY_VARIABLE)
    if key:
        return DocumentCipher(part.strip() for part in key.split(",") if part.strip())
    if key_file is None:
        raise ConfigurationError(
            "The order ledger needs a key to encrypt documents with: set the extra `document_key` of the "
            f"connection order_ledger, or the environment variable {KEY_VARIABLE}."
        )
    return DocumentCipher([_key_in(key_file)])


def _key_in(key_file: Path) -> str:
    if not key_file.exists():
        key_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=key_file.name, dir=key_file.parent)
        draft = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
        # link() refuses to replace, so of two workers that start together one wins and both read its key.
        try:
            os.link(draft, key_file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return key_file.read_text().strip()


def store(ledger: Ledger, connection: Connection, kept: Sequence[tuple[int, str, str]]) -> None:
    """Keep documents, given as (entry id, kind, text), instead of earlier ones of the same order and kind."""
    if not kept:
        return
    keys = [(entry_id, kind) for entry_id, kind, _ in kept]
    connection.execute(delete(documents).where(tuple_(documents.c.entry_id, documents.c.kind).in_(keys)))
    expires_at = ledger.clock() + timedelta(days=ledger.retention.document_days)
    rows = [
        {
            "entry_id": entry_id,
            "kind": kind,
            "ciphertext": ledger.cipher.encrypt(text),
            "expires_at": expires_at,
        }
        for entry_id, kind, text in kept
    ]
    connection.execute(documents.insert(), rows)


def load(ledger: Ledger, entry_ids: Iterable[int], kind: str) -> dict[int, str]:
    """The documents of this kind by entry id; an order without one (expired) is missing from the answer."""
    query = select(documents.c.entry_id, documents.c.ciphertext).where(
        documents.c.kind == kind, documents.c.entry_id.in_(list(entry_ids))
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return {entry_id: ledger.cipher.decrypt(ciphertext) for entry_id, ciphertext in rows}


def held_orders(ledger: Ledger, order_id: str | None = None) -> Iterator[tuple[str, str, str]]:
    """Give (account, order id, text) of every VTEX order that is still kept, or only of `order_id`."""
    query = select(documents.c.entry_id, order_entries.c.account, order_entries.c.order_id).where(
        documents.c.kind == ORDER, documents.c.entry_id == order_entries.c.id
    )
    if order_id is not None:
        query = query.where(order_entries.c.order_id == order_id)
    with ledger.read() as connection:
        rows = connection.execute(query.order_by(order_entries.c.order_id)).all()
    for entry_id, account, name in rows:
        # One at a time: a month's orders do not fit into memory. One may expire meanwhile.
        for text in load(ledger, [entry_id], ORDER).values():
            yield account, name, text
