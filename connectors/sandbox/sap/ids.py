"""Ids of SAP records: 32 hex digits and the UUID of the same digits, display numbers, party numbers.

Everything follows from the world's own id, so the same world has the same ids on every start.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache

_OBJECT_ID = re.compile(r"[0-9A-F]{32}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PARTY = re.compile(r"8\d{9}")
_TENANT = "00163E0B"
"""What every ObjectID of one tenant begins with: part of a network card's address."""
TABLES = {
    "people": "01", "accounts": "02", "opportunities": "03", "changes": "04", "activities": "05", "splits": "06",
    "line_items": "07", "surveys": "08", "contacts": "09", "units": "0A", "products": "0B", "identities": "0C",
    "references": "0D", "parties": "0E", "answers": "0F", "items": "10", "assignments": "11", "registrations": "12",
    "payments": "13", "contracts": "14", "forecasts": "15", "absences": "16", "ratings": "17", "targets": "18", "rates": "19",
    "own_surveys": "1A",
}  # fmt: skip
"""Two digits that keep equal numbers of different tables apart."""


@lru_cache(maxsize=200_000)  # owners and accounts come again and again
def object_id(table: str, text: str) -> str:
    """The ObjectID of a world's record: its own if it has the form of one, or of a UUID, else made from its text.

    Decimal texts up to 10**18 never collide; others are hashed to 64 bits.
    """
    if _OBJECT_ID.fullmatch(text):
        return text
    if _UUID.fullmatch(text):
        return text.replace("-", "").upper()
    if text.isdecimal() and text.isascii() and not text.startswith("0") and int(text) < 10**18:
        return f"{_TENANT}1EE0{TABLES[table]}00{int(text):016X}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16].upper()
    return f"{_TENANT}1EE0{TABLES[table]}FF{digest}"


def new_object_id(table: str, number: int) -> str:
    """The ObjectID of the ``number``-th record that was made while the emulator ran."""
    return f"{_TENANT}1EE1{TABLES.get(table, '7F')}00{number:016X}"


def dashed(key: str) -> str:
    """The UUID with the digits of an ObjectID."""
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def uuid(table: str, text: str) -> str:
    """The lower-case UUID of a world's record, as version 2 of the product spells ids."""
    return dashed(object_id(table, text)).lower()


@lru_cache(maxsize=200_000)
def number(text: str, digits: int) -> int:
    """The world's id as a number of at most so many digits; hashed if it is none."""
    if text.isdecimal() and text.isascii() and len(text) <= digits:
        return int(text)
    hashed: int = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % 10**digits
    return hashed


def party_id(text: str) -> str:
    """The BusinessPartnerID of an employee: ten digits that begin with 8; a text of that form stays."""
    if _PARTY.fullmatch(text):
        return text
    return f"8{number(text, 9):09d}"


def account_number(text: str) -> str:
    """The AccountID of an account."""
    return str(number(text, 10))


def display_id(text: str) -> str:
    """The number that people see of any other record."""
    return str(number(text, 12))


_REFERRED = {
    "owner_id": "people", "manager_id": "people", "person_id": "people", "account_id": "accounts", "parent_id": "accounts",
    "opportunity_id": "opportunities", "subject_id": "people", "rater_id": "people",
}  # fmt: skip
"""The tables that columns of a world point into."""


def in_world_ids(cells: Mapping[str, str], ids: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The cells with the world's ids where the tenant's were given. ``ids``: the tenant's by table and world id."""
    found = dict(cells)
    for column in _REFERRED.keys() & found.keys():
        known = ids.get(_REFERRED[column], {})
        if found[column] not in known:
            found[column] = next((one for one, remote in known.items() if remote == found[column]), found[column])
    return found
