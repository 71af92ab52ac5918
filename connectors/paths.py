"""How one value is found in a CRM's row, and turned to text or to keyed hashes."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.digests import keyed_hash
from connectors.types import canonical_text

Read = Callable[[Mapping[str, Any]], Any]


def read_at(path: str) -> Read:
    """Reads a path: a key of that very name, else a walk through objects. Missing anywhere is None."""
    steps = path.split(".")
    if len(steps) == 1:
        return lambda fields: None if (value := fields.get(path)) == "" else value

    def read(fields: Mapping[str, Any]) -> Any:
        value: Any = fields.get(path)
        if value is None:
            value = fields
            for step in steps:
                value = value.get(step) if isinstance(value, Mapping) else None
        return None if value == "" else value

    return read


def read_turned(path: str, turn: Callable[[Any], Any]) -> Read:
    """Reads a path and converts what is there."""
    read = read_at(path)

    def turned(fields: Mapping[str, Any]) -> Any:
        value = read(fields)
        return None if value is None else turn(value)

    return turned


def as_text(value: Any) -> str | None:
    """Any plain value as text, each number in its one spelling."""
    match value:
        case None | "":
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return canonical_text(Decimal(value))
        case list() | tuple():
            return ";".join(as_text(item) or "" for item in value)
        case dict():
            return json.dumps(value, default=str, sort_keys=True, ensure_ascii=False)
        case _:
            return str(value)


def read_extra(paths: Mapping[str, str]) -> Read:
    """Reads several paths into one map of texts; None if nothing is there."""
    reads = sorted((name, read_at(path)) for name, path in paths.items())

    def read(fields: Mapping[str, Any]) -> dict[str, str] | None:
        found = {name: text for name, at in reads if (text := as_text(at(fields))) is not None}
        return found or None

    return read


def as_hashes(key: bytes, value: Any) -> list[str] | None:
    """Ids as keyed hashes, each once, sorted: their order means nothing and differs between calls of some CRMs."""
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else value.replace(",", ";").split(";")
    return sorted({keyed_hash(key, text) for item in value if (text := (as_text(item) or "").strip())})
