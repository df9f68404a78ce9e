"""Documents at rest: unreadable without the key, gone when they expire."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from tests.ledger.rows import add_entry
from vtex_erp.errors import ConfigurationError
from vtex_erp.ledger import documents, tables
from vtex_erp.ledger.documents import KEY_VARIABLE, DocumentCipher, cipher_from
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.ledger.retention import purge

if TYPE_CHECKING:
    from pathlib import Path

    from vtex_erp.ledger.ledger import Ledger

SHOPPER = "Zacharias Quuxworthy"
TEXT = f'{{"clientProfileData": {{"firstName": "{SHOPPER}", "note": "ação 🛒"}}}}'
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def _keep(ledger: Ledger, entry: int, kind: str, text: str) -> None:
    with ledger.write() as connection:
        documents.store(ledger, connection, [(entry, kind, text)])


def _load(ledger: Ledger, entry: int) -> str | None:
    return documents.load(ledger, [entry], documents.ORDER).get(entry)


def test_a_document_comes_back_as_it_was(ledger: Ledger) -> None:
    entry, other = add_entry(ledger, "1-01"), add_entry(ledger, "2-01")
    _keep(ledger, entry, documents.ORDER, TEXT)
    _keep(ledger, entry, documents.SALES_ORDER, "{}")
    assert documents.load(ledger, [entry, other], documents.ORDER) == {entry: TEXT}
    _keep(ledger, entry, documents.ORDER, "[1]")
    assert _load(ledger, entry) == "[1]"
    assert documents.load(ledger, [entry], documents.SALES_ORDER) == {entry: "{}"}


def test_nothing_of_a_document_is_readable_at_rest(ledger: Ledger, tmp_path: Path) -> None:
    _keep(ledger, add_entry(ledger, "1-01"), documents.ORDER, TEXT)
    with ledger.read() as connection:
        row = connection.execute(tables.documents.select()).one()
    stored = [bytes(row.ciphertext), *(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())]
    for data in stored:
        for word in SHOPPER.split():
            assert word.encode() not in data


def test_documents_expire(ledger: Ledger) -> None:
    now = NOON
    ledger = replace(ledger, clock=lambda: now)
    old, new = add_entry(ledger, "1-01"), add_entry(ledger, "2-01")
    _keep(ledger, old, documents.ORDER, TEXT)
    now += timedelta(days=29)
    _keep(ledger, new, documents.ORDER, TEXT)
    assert purge(ledger).documents == 0
    now += timedelta(days=1)
    assert purge(ledger).documents == 1
    assert (_load(ledger, old), _load(ledger, new)) == (None, TEXT)


def test_a_lost_key_says_what_to_do(ledger: Ledger, database: str) -> None:
    entry = add_entry(ledger, "1-01")
    _keep(ledger, entry, documents.ORDER, TEXT)
    other = open_ledger(database, cipher=DocumentCipher([Fernet.generate_key().decode()]))
    with pytest.raises(ConfigurationError, match="order_ledger") as caught:
        _load(other, entry)
    other.close()
    assert caught.value.cause == "document-key"
    assert "clear `fetch_orders`" in caught.value.message


def test_keys_are_rotated(ledger: Ledger, database: str, document_key: str) -> None:
    entry = add_entry(ledger, "1-01")
    _keep(ledger, entry, documents.ORDER, TEXT)
    new_key = Fernet.generate_key().decode()
    rotated = open_ledger(database, cipher=cipher_from(f"{new_key}, {document_key}"))
    assert _load(rotated, entry) == TEXT
    _keep(rotated, entry, documents.ORDER, "[1]")
    rotated.close()
    with pytest.raises(ConfigurationError):
        _load(ledger, entry)


@pytest.mark.parametrize("key", ["short", "ключ", ",", "x" * 44, " "])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cipher_from(key)
    assert key.strip(", ") not in caught.value.message or not key.strip(", ")


def test_without_a_key_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(ConfigurationError, match="document_key"):
        cipher_from(None)


def test_the_key_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch, document_key: str) -> None:
    monkeypatch.setenv(KEY_VARIABLE, document_key)
    assert DocumentCipher([document_key]).decrypt(cipher_from(None).encrypt("a")) == "a"


def test_the_key_file_is_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    key_file = tmp_path / "new" / "order_ledger.key"
    ciphertext = cipher_from(None, key_file=key_file).encrypt("a")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert list(key_file.parent.iterdir()) == [key_file]
    assert cipher_from(None, key_file=key_file).decrypt(ciphertext) == "a"


def test_threads_that_start_together_share_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    for round_ in range(20):
        key_file = tmp_path / str(round_) / "key"
        with ThreadPoolExecutor(8) as pool:
            ciphers = list(pool.map(lambda _, file=key_file: cipher_from(None, key_file=file), range(8)))
        assert {cipher.decrypt(ciphers[0].encrypt("a")) for cipher in ciphers} == {"a"}
        assert list(key_file.parent.iterdir()) == [key_file]
