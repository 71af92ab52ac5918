"""Addresses: resource segments with keys, ids in bodies, alternate keys."""

import re
from urllib.parse import unquote, urlsplit

from connectors.sandbox.dynamics.errors import Refusal, bad_query, no_segment
from connectors.sandbox.dynamics.ids import is_guid
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org

_SEGMENT = re.compile(r"([\w.$]+)(?:\((.*)\))?", re.DOTALL)
_PAIR = re.compile(r"\s*(\w+)\s*=\s*('(?:[^']|'')*'|[^,']*)\s*(?:,|$)")


def split_segment(segment: str) -> tuple[str, str | None]:
    """Name and what stands in its parentheses (None: no parentheses). Refusal 400."""
    match = _SEGMENT.fullmatch(segment)
    if match is None:
        raise bad_query("Bad Request - Error in query syntax.")
    return match[1], match[2]


def pairs_of(text: str) -> dict[str, str]:
    """``a='x',b=2`` as text by name, quotes removed. Refusal 400."""
    found, at = {}, 0
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None or match.end() == at:
            raise bad_query("Bad Request - Error in query syntax.")
        value = match[2].strip()
        found[match[1]] = value[1:-1].replace("''", "'") if value.startswith("'") else value
        at = match.end()
    return found


def set_of(org: Org, name: str) -> TableType:
    """The table of an entity set. Refusal 404: not installed."""
    table = org.sets.get(name)
    if table is None:
        raise no_segment(name)
    return table


def row_id_of(org: Org, table: TableType, key: str) -> tuple[str, dict[str, str]]:
    """The id that a key names, and (for an alternate key without a row) the values to make the row with.

    Refusal 400: neither a GUID nor a defined alternate key.
    """
    bare = key.strip().strip("'") if is_guid(key.strip().strip("'")) else key.strip()
    if is_guid(bare):
        return bare.lower(), {}
    pairs = pairs_of(key)
    if set(pairs) == {table.pk} and is_guid(pairs[table.pk]):
        return pairs[table.pk].lower(), {}
    columns = {name: table.by_key(name) for name in pairs}
    names = frozenset(column.name if column else name for name, column in columns.items())
    if names not in {frozenset(held) for held in table.keys.values()}:
        text = f"The specified key attributes are not a defined key for the {table.name} entity"
        raise Refusal(400, "0x80060890", text)
    found: set[str] | None = None
    for name, value in pairs.items():
        ids = set(_matching(org, table, name, value))
        found = ids if found is None else found & ids
    return (min(found) if found else ""), pairs


def _matching(org: Org, table: TableType, name: str, value: str) -> list[str]:
    data = org.data[table.name]
    exact = data.group(name, [value])
    if exact:
        return exact
    column = table.by_key(name)
    if column is not None and column.type in {"int", "picklist"} and value.lstrip("-").isdigit():
        return data.group(name, [int(value)])
    return []


def no_key(table: TableType) -> Refusal:
    """404 for an alternate key that no row has."""
    return Refusal(404, "0x80060891", f"A record with the specified key values does not exist in {table.name} entity")


def reference(org: Org, text: object) -> tuple[TableType, str]:
    """The table and id that ``/accounts(...)``, with or without host and service path, points to. Refusal 400, 404."""
    if not isinstance(text, str):
        raise bad_query("Bad Request - Error in query syntax.")
    tail = unquote(urlsplit(text).path if "://" in text else text).rstrip("/").rpartition("/")[2]
    name, key = split_segment(tail)
    if key is None:
        raise bad_query(f"Resource identifier '{text}' does not name a row.")
    table = set_of(org, name)
    row_id, _ = row_id_of(org, table, key)
    if not row_id:
        raise no_key(table)
    return table, row_id
