"""Finds or makes the parties of orders, once, whoever else meets the same customers at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vtex_erp.erp.claims import alone
from vtex_erp.erp.protocol import CLAIMED
from vtex_erp.erp.tryton.api import Record, RefusedError
from vtex_erp.erp.tryton.people import (
    PARTY_FIELDS,
    Buyer,
    Place,
    address_id,
    has_document,
    has_key,
    identifier,
    is_somebody_else,
    missing_contacts,
    missing_keys,
    spellings,
)
from vtex_erp.errors import RetryableError, UnclearError, VtexErpError, attempt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vtex_erp.erp.claims import Claims, Held
    from vtex_erp.erp.tryton.api import TrytonApi
    from vtex_erp.erp.tryton.catalogue import Catalogue
    from vtex_erp.transport import Sleep


@dataclass(frozen=True)
class Party:
    """A party, and the addresses of one order."""

    id: int
    invoice_address: int
    shipment_address: int


@dataclass(frozen=True)
class Parties:
    """Finds and makes parties. Threads share it."""

    api: TrytonApi
    catalogue: Catalogue
    claims: Claims
    sleep: Sleep

    def ensure_all(self, buyers: Mapping[str, Buyer], task: str) -> dict[str, Party | VtexErpError]:
        """Have each order's buyer in Tryton, once, with the order's addresses; nothing that is there is changed.

        An order's error is a RetryableError (`claimed-by-another`) while another worker is at the same customer.
        """
        rows = self._find(buyers.values(), task)
        found = {name: self._complete(buyer, rows, contacts=True) for name, buyer in buyers.items()}
        missing = {name: buyers[name] for name, party in found.items() if party is None}
        unknown = _strangers(missing, rows)
        found |= self._make_together(unknown, task) if len(unknown) > 1 else {}
        return {
            name: attempt(self._make_alone, buyer, task) if (party := found[name]) is None else party
            for name, buyer in buyers.items()
        }

    def _make_together(self, buyers: Mapping[str, Buyer], task: str) -> dict[str, Any]:
        """Make many new parties in one call; the answer is empty where that is not to be had."""
        try:
            with alone(self.claims, _claimed(buyers.values()), task, self.sleep, tries=1) as held, self.api.hurried():
                rows = self._find(buyers.values(), task)
                unknown = _strangers(buyers, rows)
                made = self._create_all(unknown, task, held)
        except RefusedError:
            return {}  # for one of them: alone each is told what is wrong
        except RetryableError as error:
            return {} if error.cause == CLAIMED else dict.fromkeys(buyers, error)
        except VtexErpError as error:
            return dict.fromkeys(buyers, error)
        return {
            name: self._with_addresses(buyer, made[name]) if name in made else self._complete(buyer, rows)
            for name, buyer in buyers.items()
        }

    def _create_all(self, buyers: Mapping[str, Buyer], task: str, held: Held) -> dict[str, Record]:
        """Make new parties in one call, and read them as they are then."""
        values = [self.values(buyer) for buyer in buyers.values()]
        with held.creating():
            ids = self.api.create_many("party.party", values, task) if values else []
        rows = {row["id"]: row for row in self._read(ids, task)} if ids else {}
        return {name: rows[made] for name, made in zip(buyers, ids, strict=True)}

    def _make_alone(self, buyer: Buyer, task: str) -> Party:
        with alone(self.claims, _claimed([buyer]), task, self.sleep) as held, self.api.hurried():
            found = _best(buyer, self._find([buyer], task))
            made = self._add(buyer, found, task, held) if found else self._create(buyer, task, held)
        # Not by its identifiers again, which Tryton may have spelled in another way: this is the one.
        party = self._with_addresses(buyer, made)
        if party is None:
            raise UnclearError(f"Tryton does not show the customer as it was made, to {task}.", cause="in-doubt")
        return party

    def _find(self, buyers: Iterable[Buyer], task: str) -> list[Record]:
        keys = sorted({key for buyer in buyers for key in spellings(buyer)})
        # As it was typed, where Tryton has more in mind than case and punctuation (a country's letters, a zero).
        domain = ["OR", *([f"identifiers.{name}", "in", keys] for name in ("code_compact", "code"))]
        return self.api.search("party.party", domain, PARTY_FIELDS, f"{task}: find the customer") if keys else []

    def _read(self, ids: Sequence[int], task: str) -> list[Record]:
        return self.api.search("party.party", [["id", "in", list(ids)]], PARTY_FIELDS, f"{task}: read the customer")

    def _create(self, buyer: Buyer, task: str, held: Held) -> Record:
        task = f"{task}: make the customer"
        values = self.values(buyer)
        with held.creating():
            try:
                ids = self.api.create_many("party.party", [values], task)
            except RefusedError:
                if "contact_mechanisms" not in values:
                    raise
                # Perhaps for a phone number that is none: the order matters more.
                del values["contact_mechanisms"]
                ids = self.api.create_many("party.party", [values], task)
        return self._read(ids, task)[0]

    def values(self, buyer: Buyer) -> Record:
        """A new party, as values to create."""
        contacts = missing_contacts(buyer, {})
        return {
            "name": buyer.name,
            "identifiers": [["create", [identifier(buyer, key) for key in buyer.keys]]],
            "addresses": [["create", [self.address(place) for place in buyer.places] or [{}]]],
            **({"contact_mechanisms": [["create", contacts]]} if contacts else {}),
        }

    def _add(self, buyer: Buyer, party: Record, task: str, held: Held) -> Record:
        addresses = [values for place in buyer.places if address_id(values := self.address(place), party) is None]
        if not buyer.places and not party.get("addresses"):
            addresses = [{}]
        values = {
            "identifiers": missing_keys(buyer, party),
            "addresses": addresses,
            "contact_mechanisms": missing_contacts(buyer, party),
        }
        added = {name: [["create", rows]] for name, rows in values.items() if rows}
        if added:
            with held.creating():
                self._write(party, added, f"{task}: complete the customer")
        return self._read([party["id"]], task)[0]

    def _write(self, party: Record, added: dict[str, Any], task: str) -> None:
        try:
            self.api.write("party.party", party["id"], added, task)
        except RefusedError:
            if "contact_mechanisms" not in added:
                raise
            rest = {name: rows for name, rows in added.items() if name != "contact_mechanisms"}
            if rest:
                self.api.write("party.party", party["id"], rest, task)

    def _complete(self, buyer: Buyer, rows: Sequence[Record], *, contacts: bool = False) -> Party | None:
        """The buyer's party as the order needs it; None when it, or something of it, is missing.

        The order does not need the `contacts`, which Tryton may have refused.
        """
        party = _best(buyer, rows)
        if party is None or missing_keys(buyer, party) or (contacts and missing_contacts(buyer, party)):
            return None
        return self._with_addresses(buyer, party)

    def _with_addresses(self, buyer: Buyer, party: Record) -> Party | None:
        """The party as the order needs it; None when it lacks an address."""
        invoice, shipment = (
            address_id(self.address(place) if place else None, party) for place in (buyer.invoice, buyer.shipment)
        )
        return None if invoice is None or shipment is None else Party(party["id"], invoice, shipment)

    def address(self, place: Place) -> Record:
        """An address as values to create."""
        country = self.catalogue.country(place.country)
        state = self.catalogue.subdivision(country, place.state)
        city = place.city
        if place.state and state is None:
            city = f"{city} ({place.state})" if city else place.state
        return {
            "street": place.street,
            "postal_code": place.postal_code,
            "city": city,
            "attn": place.attn,
            "country": country,
            "subdivision": state,
        }


def _best(buyer: Buyer, rows: Sequence[Record]) -> Record | None:
    """The buyer's party: by document, else by user profile; the oldest, so that all workers find the same."""
    by_document = [row for row in rows if has_document(buyer, row)]
    by_profile = [row for row in rows if has_key(buyer, row) and not is_somebody_else(buyer, row)]
    return next(iter([*by_document, *by_profile]), None)


def _strangers(buyers: Mapping[str, Buyer], rows: Sequence[Record]) -> dict[str, Buyer]:
    """Those of whom Tryton knows nothing, and that are nobody else's namesake among them."""
    seen: set[str] = set()
    strangers = {}
    for name, buyer in buyers.items():
        if seen.isdisjoint(buyer.marks) and not any(has_key(buyer, row) for row in rows):
            strangers[name] = buyer
        seen.update(buyer.marks)
    return strangers


def _claimed(buyers: Iterable[Buyer]) -> list[str]:
    return [f"party:{key}" for buyer in buyers for key in buyer.marks]
