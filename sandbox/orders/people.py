"""Invented shoppers and addresses, plainly made up; the e-mail domain is the one reserved for examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

FIRST_NAMES = ("Ana", "Bruno", "Carla", "Davi", "Érica", "Fábio", "Gabi", "Heitor", "Íris", "João")
LAST_NAMES = ("Exemplo", "Amostra", "Teste", "Fictícia", "Inventado", "Simulado", "d'Ensaio", "Modelo Júnior")
STREETS = ("Rua das Amostras", "Avenida do Exemplo", "Travessa Fictícia", "Alameda dos Testes")
CITIES = (("Vila Exemplo", "SP"), ("Porto Fictício", "RJ"), ("Nova Amostra", "MG"), ("Campo de Teste", "RS"))


def customer(rng: random.Random, *, alias_rng: random.Random) -> dict[str, Any]:
    """Invent clientProfileData with the e-mail masked as stores have it: mostly the readable alias.

    The alias is the order's, everything else the shopper's.
    """
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    blank = " " if rng.random() < 0.17 else ""
    return {
        "id": "clientProfileData",
        "email": readable_alias(alias_rng, first) if rng.random() < 0.87 else hashed_alias(alias_rng),
        "firstName": first + blank,
        "lastName": last + blank,
        "documentType": "cpf",
        "document": f"000{rng.randrange(10**8):08d}",
        "phone": f"+55119{rng.randrange(10**8):08d}",
        "corporateName": None,
        "tradeName": None,
        "corporateDocument": None,
        "stateInscription": None,
        "corporatePhone": None,
        "isCorporate": False,
        "userProfileId": guid(rng),
        "userProfileVersion": None,
        "customerClass": None,
    }


def readable_alias(rng: random.Random, name: str) -> str:
    """Make the alias that has the shopper's own address before its last dash."""
    local = f"{name.lower()}.exemplo{rng.randrange(10_000)}"
    return f"{local}@example.com-{rng.randrange(10**12):012d}b.ct.vtex.com.br"


def hashed_alias(rng: random.Random) -> str:
    """Make the alias of 32 hexadecimal digits."""
    return f"{rng.getrandbits(128):032x}@ct.vtex.com.br"


def address(rng: random.Random, name: str) -> dict[str, Any]:
    """Invent a delivery address in Brazil."""
    city, state = rng.choice(CITIES)
    return {
        "addressType": "residential",
        "receiverName": name,
        "addressId": f"{rng.randrange(10**13):013d}",
        "versionId": None,
        "entityId": None,
        "postalCode": f"00{rng.randrange(1000):03d}-{rng.randrange(1000):03d}",
        "city": city,
        "state": state,
        "country": "BRA",
        "street": rng.choice(STREETS),
        "number": rng.choice(("827", "14 ", "S/N", "67 sala03", "2.854")),
        "neighborhood": "Bairro Modelo",
        "complement": rng.choice((None, "", "Apto 12")),
        "reference": None,
        "geoCoordinates": [round(rng.uniform(-55, -40), 7), round(rng.uniform(-30, -10), 7)],
    }


def guid(rng: random.Random) -> str:
    """Invent a GUID."""
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
