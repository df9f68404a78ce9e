"""Who buys and where to, as Tryton keeps it: a party, its identifiers, addresses and contact mechanisms. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vtex_erp.sales.model import Address, Customer, SalesOrder

Record = dict[str, Any]

PARTY_FIELDS = (
    "name",
    "identifiers.type",
    "identifiers.code",
    "identifiers.code_compact",
    *(f"addresses.{name}" for name in ("street", "postal_code", "city", "attn", "country", "subdivision")),
    "contact_mechanisms.value",
)

_TRYTON_TYPE = re.compile(r"[a-z]{2}_[a-z0-9_]+")
"""A kind of identifier that Tryton knows, such as `br_cpf`: the rules' `document_types` say it."""
_BLANKS = re.compile(r"[\W_]+")
_OURS = "vtex:"
"""How identifiers of our own making begin."""


@dataclass(frozen=True)
class Place:
    """An address, with the country and state in VTEX's words."""

    street: str
    postal_code: str | None
    city: str | None
    attn: str | None
    country: str | None
    state: str | None


@dataclass(frozen=True)
class Buyer:
    """Who buys: by what the party is found, and what it must have.

    `document` is the tax document; `others` are further identifiers, by which it is found where no document says
    otherwise. `invoice` and `shipment` are None where VTEX has no address.
    """

    name: str
    document: str | None
    document_type: str | None
    others: tuple[str, ...]
    contacts: tuple[tuple[str, str], ...]
    invoice: Place | None
    shipment: Place | None

    @property
    def keys(self) -> tuple[str, ...]:
        """Everything that says who it is."""
        return (*filter(None, [self.document]), *self.others)

    @property
    def marks(self) -> frozenset[str]:
        """The keys, whatever their spelling."""
        return frozenset(map(mark, self.keys))

    @property
    def places(self) -> tuple[Place, ...]:
        """The addresses, each once."""
        return tuple(dict.fromkeys(filter(None, (self.invoice, self.shipment))))


def buyer_of(order: SalesOrder) -> Buyer:
    """Read a sales order. An alias e-mail is of one order: it identifies nobody, and is no contact.

    A company is known by its document, never by its contact's; without one, by the contact's user profile.
    A guest that VTEX tells nothing of is a party of that order alone.
    """
    customer, company = order.customer, order.customer.company
    document = company.document if company else customer.document
    others = tuple(_others(order))
    name = customer.name or _receiver(order) or order.source.order_id
    return Buyer(
        name=name,
        document=document,
        document_type=_type_of(customer, document),
        others=others if document or others else (f"{_OURS}{order.external_id}",),
        contacts=tuple(_contacts(customer)),
        invoice=_place(order.billing_address or order.shipping_address, name),
        shipment=_place(order.shipping_address or order.billing_address, name),
    )


def _others(order: SalesOrder) -> Iterator[str]:
    customer, company = order.customer, order.customer.company
    if customer.user_profile_id and not (company and company.document):
        whose = f"{_OURS}{order.source.account}:{customer.user_profile_id}"
        # The contact may buy privately, too: that is another customer.
        yield f"{whose}:company" if company else whose


def _type_of(customer: Customer, document: str | None) -> str | None:
    kind = customer.document_type
    if not document or customer.company or not kind or not _TRYTON_TYPE.fullmatch(kind):
        return None
    return kind


def _receiver(order: SalesOrder) -> str | None:
    addresses = (order.shipping_address, order.billing_address)
    return next((address.receiver_name for address in addresses if address and address.receiver_name), None)


def _contacts(customer: Customer) -> Iterator[tuple[str, str]]:
    phones = (customer.company.phone if customer.company else None, customer.phone)
    yield from dict.fromkeys(("phone", phone) for phone in phones if phone)
    if customer.email and not customer.email_is_alias:
        yield "email", customer.email


def _place(address: Address | None, name: str) -> Place | None:
    if address is None:
        return None
    street = " ".join(filter(None, (address.street, address.number)))
    lines = (street, address.complement, address.neighborhood, address.reference)
    receiver = address.receiver_name
    return Place(
        street="\n".join(filter(None, lines)),
        postal_code=address.postal_code,
        city=address.city,
        attn=receiver if receiver and _folded(receiver) != _folded(name) else None,
        country=address.country,
        state=address.state,
    )


def mark(key: str) -> str:
    """What tells an identifier from others, however it is spelled: Tryton writes documents its own way."""
    return key if key.startswith(_OURS) else "".join(filter(str.isalnum, key)).casefold() or key


def spellings(buyer: Buyer) -> set[str]:
    """How Tryton may have spelled the buyer's keys."""
    return {spelled for key in buyer.keys for spelled in ((key,) if key.startswith(_OURS) else (key, key.upper()))}


def missing_keys(buyer: Buyer, party: Record) -> list[Record]:
    """The identifiers that the party does not have yet, as values to create."""
    known = _marks(party)
    return [identifier(buyer, key) for key in buyer.keys if mark(key) not in known]


def has_document(buyer: Buyer, party: Record) -> bool:
    """Whether the party has the buyer's document."""
    return buyer.document is not None and mark(buyer.document) in _marks(party)


def has_key(buyer: Buyer, party: Record) -> bool:
    """Whether the party has anything that says who the buyer is."""
    return not _marks(party).isdisjoint(buyer.marks)


def _marks(party: Record) -> set[str]:
    return {mark(each[name]) for each in party.get("identifiers") or () for name in ("code", "code_compact")}


def identifier(buyer: Buyer, key: str) -> Record:
    """An identifier as values to create; without a type, Tryton checks nothing."""
    return {"code": key, "type": buyer.document_type if key == buyer.document else None}


def is_somebody_else(buyer: Buyer, party: Record) -> bool:
    """Whether a party that has the user profile of the buyer has another document."""
    if buyer.document is None:
        return False
    documents = [
        mark(each["code_compact"])
        for each in party.get("identifiers") or ()
        if not each["code_compact"].startswith(_OURS) and not _is_of_another_kind(each, buyer)
    ]
    return bool(documents) and mark(buyer.document) not in documents


def _is_of_another_kind(given: Record, buyer: Buyer) -> bool:
    """Whether one person may have both: a kind that nobody told is none."""
    return bool(given["type"] and buyer.document_type) and given["type"] != buyer.document_type


def missing_contacts(buyer: Buyer, party: Record) -> list[Record]:
    """The contact mechanisms that the party does not have yet, as values to create."""
    # By their values alone: a phone of the party's may be called a mobile by whoever entered it.
    known = {_folded(each["value"]) for each in party.get("contact_mechanisms") or ()}
    return [{"type": kind, "value": value} for kind, value in buyer.contacts if _folded(value) not in known]


def address_id(wanted: Record | None, party: Record) -> int | None:
    """The id of the party's address with these values; without values, of its first one."""
    addresses: list[Record] = party.get("addresses") or []
    found = (row["id"] for row in addresses if wanted is None or _key(row, party) == _key(wanted, party))
    return next(found, None)


def _key(address: Record, party: Record) -> tuple[str, ...]:
    receiver = _folded(address.get("attn"))
    where = (_folded(address.get(name)) for name in ("street", "postal_code", "city"))
    return (*where, "" if receiver == _folded(party.get("name")) else receiver)


def _folded(text: str | None) -> str:
    return _BLANKS.sub(" ", text or "").casefold().strip()
