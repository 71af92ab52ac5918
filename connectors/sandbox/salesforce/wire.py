"""Writes rows as the REST API's JSON, down to Java's way of printing a double."""

import math
from collections.abc import Callable
from decimal import Decimal
from json.encoder import encode_basestring
from operator import call, itemgetter
from typing import Any

from connectors.sandbox.salesforce.schema import NUMBERS, Field, ObjectType
from connectors.sandbox.salesforce.store import Org, Row

_MEMO_SIZE = 20_000
_PLAIN = frozenset({"id", "reference", "date", "datetime"})


def java_number(value: float) -> str:
    """A double as Java prints it, which is what the vendor's JSON and CSV hold: 50000.0, 1.0E7, 5.0E-4."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(float(value))
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def _encoder(one: Field) -> Callable[[Any], str]:
    if one.type in _PLAIN:
        return lambda value: f'"{value}"'
    if one.type == "boolean":
        return lambda value: "true" if value else "false"
    if one.type == "int":
        return lambda value: str(int(value))
    if one.type in NUMBERS:
        return java_number
    return _any


def _wrong_encoder(one: Field) -> Callable[[Any], str]:
    """Another type than the field has: a number where text belongs, words where a number belongs."""
    return (lambda _: '"not a number"') if one.type in NUMBERS else (lambda _: "4711")


def _any(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return java_number(value) if math.isfinite(value) else "null"
    return encode_basestring(value)


def row_writer(org: Org, kind: ObjectType, names: list[str], base: str) -> Callable[[Row], str]:
    """A function that gives a row's JSON with these fields in this order: a template, and what fills each hole.

    ``names`` are paths as the schema spells them; ``base`` is the path under which record URLs are written.
    """
    parents: dict[str, list[str]] = {}
    for name in names:
        parents.setdefault(name.partition(".")[0], []).append(name.partition(".")[2])
    template = f'{{"attributes":{{"type":"{kind.name}","url":"{base}/sobjects/{kind.name}/%s"}}'
    sources: list[str] = []
    texts: list[Callable[[Any], str]] = []
    for name, below in parents.items():
        one = kind.parent(name) if below[0] else kind.fields[name]
        assert one is not None  # noqa: S101 - the path was resolved before
        sources.append(one.name)
        if not below[0] and one.type in _PLAIN and not one.nillable and not org.wrong(kind, one):
            template += f',"{name}":"%s"'
            texts.append(str)
        else:
            template += f',"{name}":%s'
            texts.append((_parents_memo(org, one, below, base) if below[0] else _memo(org, kind, one)).__getitem__)
    template += "}"
    get = itemgetter("Id", *sources)

    def write(row: Row) -> str:
        record_id, *values = get(row)
        return template % (record_id, *map(call, texts, values))

    return write


class _Memo(dict[Any, str]):
    """The JSON of a field's values, by value: most fields have few different ones. Looking up is C all the way."""

    def __init__(self, encode: Callable[[Any], str], one: Field) -> None:
        super().__init__()
        self._encode = encode
        self._kept = one.type not in {"anyType", "id", "datetime", "textarea"}
        self._missing = "false" if one.type == "boolean" else "null"

    def __missing__(self, value: Any) -> str:
        text = self._missing if value is None else self._encode(value)
        if self._kept and len(self) < _MEMO_SIZE:
            self[value] = text
        return text


def _memo(org: Org, kind: ObjectType, one: Field) -> _Memo:
    return _Memo(_wrong_encoder(one) if org.wrong(kind, one) else _encoder(one), one)


def _parents_memo(org: Org, link: Field, names: list[str], base: str) -> _Memo:
    """The JSON of the parent that a reference points to."""
    kind = org.objects[link.refers[0]]
    write = row_writer(org, kind, names, base)

    def encode(record_id: str) -> str:
        row = org.row(record_id)
        return "null" if row is None else write(row)

    return _Memo(encode, link)


def csv_text(one: Field, value: Any) -> str:
    """A value as a cell of a Bulk result: empty for null, ``Z`` times, booleans in words."""
    if value is None:
        return "false" if one.type == "boolean" else ""
    if one.type == "datetime":
        return str(value).replace("+0000", "Z")
    if one.type == "boolean" or isinstance(value, bool):
        return "true" if value else "false"
    if one.type == "int":
        return str(int(value))
    return java_number(value) if isinstance(value, int | float) else str(value)
