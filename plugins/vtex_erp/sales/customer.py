"""Who buys: a person or a company."""

from __future__ import annotations

import re

from vtex_erp.sales.model import Company, Customer
from vtex_erp.sales.text import clean, clean_document
from vtex_erp.vtex.order import ClientProfile

_ALIAS = re.compile(r"[@.]ct\.vtex\.com(\.br)?$", re.IGNORECASE)


def map_customer(profile: ClientProfile | None) -> Customer:
    """Map the buyer. A missing profile, a blank name or a missing document is no error: they stay null."""
    profile = profile or ClientProfile()
    company = _company(profile) if profile.is_corporate else None
    first, last = clean(profile.first_name), clean(profile.last_name)
    person = " ".join(name for name in (first, last) if name) or None
    email = clean(profile.email)
    return Customer(
        type="company" if company else "person",
        name=(company and (company.name or company.trade_name)) or person,
        first_name=first,
        last_name=last,
        document=clean_document(profile.document),
        document_type=clean(profile.document_type),
        email=email,
        email_is_alias=bool(email and is_alias(email)),
        phone=clean(profile.phone),
        user_profile_id=clean(profile.user_profile_id),
        customer_code=clean(profile.customer_code),
        company=company,
    )


def is_alias(email: str) -> bool:
    """Tell VTEX's forwarding addresses, `<hash>@ct.vtex.com.br` and `<local>@<domain>-<hash>.ct.vtex.com.br`.

    The second holds the shopper's real address and is personal data like any other.
    """
    return _ALIAS.search(email) is not None


def _company(profile: ClientProfile) -> Company:
    return Company(
        name=clean(profile.corporate_name),
        trade_name=clean(profile.trade_name),
        document=clean_document(profile.corporate_document),
        state_inscription=clean(profile.state_inscription),
        phone=clean(profile.corporate_phone),
    )
