"""Takes a shopper's data out of text that comes back from an ERP."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from vtex_erp.sales.customer import is_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vtex_erp.sales.model import Address, Customer, SalesOrder

_HIDDEN = "***"
_SHORTEST = 4
_LONGEST_TEXT = 300
_SUBSCRIBER_DIGITS = 8
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_BETWEEN_DIGITS = r"[\s().\-/]*"


def redact(text: str, *sales_orders: SalesOrder) -> str:
    r"""Replace every personal value of the sales orders found in `text` by `***`; cut to 300 characters.

    Case, accents, blanks, JSON's `\u00e3`, the punctuation of documents, phones and postal codes, and a
    phone's country and area code make no difference. Names are also looked for word by word. Values shorter
    than 4 characters stay. Give the whole text: a value that was cut off at the end is not recognised.
    """
    text = unicodedata.normalize("NFC", _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text))
    folded = _fold(text)
    patterns = {pattern for sales_order in sales_orders for pattern in _patterns(sales_order)}
    spans = [match.span() for pattern in patterns for match in re.finditer(pattern, folded)]
    return _hide(text, spans)[:_LONGEST_TEXT]


def _fold(text: str) -> str:
    """Lower the case and drop the accents, character by character: the length stays."""
    return "".join(unicodedata.normalize("NFD", character)[0].lower()[:1] or character for character in text)


def _hide(text: str, spans: Iterable[tuple[int, int]]) -> str:
    kept, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            kept += [text[end:start], _HIDDEN]
        end = max(end, stop)
    return "".join([*kept, text[end:]])


def _patterns(sales_order: SalesOrder) -> set[str]:
    customer = sales_order.customer
    addresses = [sales_order.billing_address, sales_order.shipping_address]
    addresses += [delivery.address for delivery in sales_order.deliveries]
    texts, numbers = [*_texts(customer), sales_order.note], list(_numbers(customer))
    for address in filter(None, addresses):
        texts += _address_texts(address)
        numbers.append(address.postal_code)
    patterns = {_text_pattern(text) for text in texts if text and _is_long(text)}
    return patterns | {_number_pattern(number) for number in numbers if _is_long(_alphanumeric(number))}


def _texts(customer: Customer) -> Iterator[str | None]:
    company = customer.company
    names = [customer.name, customer.first_name, customer.last_name]
    names += [company.name, company.trade_name] if company else []
    yield from _with_words(names)
    yield from _emails(customer.email)
    yield customer.user_profile_id


def _numbers(customer: Customer) -> Iterator[str | None]:
    company = customer.company
    yield from (customer.document, customer.customer_code)
    yield from (company.document, company.state_inscription) if company else ()
    for phone in (customer.phone, company.phone if company else None):
        yield phone
        yield _alphanumeric(phone)[-_SUBSCRIBER_DIGITS:]


def _with_words(names: Iterable[str | None]) -> Iterator[str | None]:
    for name in names:
        yield name
        yield from (name or "").split()


def _emails(email: str | None) -> Iterator[str]:
    """Give the address, the real one inside VTEX's alias, and the part before the @."""
    if email is None:
        return
    yield email
    if is_alias(email):
        yield email.rpartition("-")[0]
    yield email.partition("@")[0]


def _address_texts(address: Address) -> list[str | None]:
    street, number = address.street or "", address.number or ""
    receiver = list(_with_words([address.receiver_name]))
    return [*receiver, street, f"{street} {number}", f"{street}, {number}", f"{number} {street}",
            address.complement, address.reference, address.neighborhood]  # fmt: skip


def _text_pattern(text: str) -> str:
    return r"\s+".join(map(re.escape, _fold(text).split()))


def _number_pattern(number: str | None) -> str:
    return r"\+?" + _BETWEEN_DIGITS.join(map(re.escape, _fold(_alphanumeric(number))))


def _alphanumeric(text: str | None) -> str:
    return "".join(character for character in text or "" if character.isalnum())


def _is_long(text: str) -> bool:
    return len(text.strip()) >= _SHORTEST
