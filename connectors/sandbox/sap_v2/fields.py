"""What a body of version 2 may hold: known fields of the right type, known extensions, no children in a header."""

import re
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.sap.values import GUID
from connectors.sandbox.sap_v2.errors import RestError
from connectors.sandbox.sap_v2.services import MANDATORY, READ_ONLY, SUBRESOURCES, Service
from connectors.sandbox.sap_v2.store import Doc

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})")
EXTENSION_TYPES = ("text", "decimal", "int", "amount", "moment", "date", "flag", "list")


def checked(service: Service, body: Any, *, creating: bool, ignore_unknown: bool) -> Doc:
    """The body, if the service takes it; RestError if not. ``ignore_unknown``: unknown extensions are dropped in silence."""
    if not isinstance(body, dict):
        raise RestError(400, f"{service.code}.1010", "The body must be one JSON object")
    if below := [name for name in body if name in SUBRESOURCES.get(service.path, ()) and not creating]:
        text = f"Subnodes must not be present in {service.code.capitalize()} header patch payload"
        raise RestError(400, f"{service.code}.2042", text, below[0])
    found: Doc = {}
    for name, value in body.items():
        if name == "extensions":
            found[name] = _extensions(service, value, ignore_unknown=ignore_unknown)
        elif name in READ_ONLY:
            raise RestError(400, f"{service.code}.1011", f"Field {name} is read-only", name)
        else:
            _check(service, name, value)
            found[name] = value
    if creating:
        _check_mandatory(service, found)
    return found


def _check_mandatory(service: Service, found: Doc) -> None:
    for name in MANDATORY.get(service.path, ()):
        if found.get(name) is None:
            raise RestError(400, f"{service.code}.1012", f"Field {name} is mandatory", name)


def _check(service: Service, path: str, value: Any) -> None:
    kind = service.type_of(path)
    if kind is not None:
        if value is not None and not _fits(kind, value):
            raise RestError(400, f"{service.code}.1013", f"Invalid value of field {path}", path)
        return
    if not any(known.startswith(f"{path}.") for known in service.fields):
        raise RestError(400, f"{service.code}.1014", f"Unknown field {path}", path)
    if value is None:
        return
    if not isinstance(value, dict):
        raise RestError(400, f"{service.code}.1013", f"Invalid value of field {path}", path)
    for name, one in value.items():
        _check(service, f"{path}.{name}", one)


def _extensions(service: Service, values: Any, *, ignore_unknown: bool) -> Doc:
    if not isinstance(values, dict):
        raise RestError(400, f"{service.code}.1013", "Invalid value of field extensions", "extensions")
    found: Doc = {}
    for name, value in values.items():
        kind = service.extensions.get(name)
        if kind is None:
            if ignore_unknown:
                continue
            raise RestError(400, f"{service.code}.1014", f"Unknown extension field {name}", f"extensions.{name}")
        if value is not None and not _extension_fits(kind, value):
            raise RestError(
                400, f"{service.code}.1013", f"Invalid value of extension field {name}", f"extensions.{name}"
            )
        found[name] = value
    return found


def _extension_fits(kind: str, value: Any) -> bool:
    if kind == "amount":
        return (
            isinstance(value, dict)
            and value.keys() <= {"content", "currencyCode"}
            and _fits("number", value.get("content"))
        )
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return _fits({"decimal": "number", "list": "text"}.get(kind, kind), value)


def _fits(kind: str, value: Any) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind in {"flag", "list"}:
        return isinstance(value, bool if kind == "flag" else list)
    form = {"id": GUID, "date": _DATE, "moment": _MOMENT}.get(kind)
    return isinstance(value, str) and (form is None or form.fullmatch(value) is not None)


def merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> Doc:
    """RFC 7396: objects are merged, null deletes, everything else replaces."""
    found = dict(old)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict):
            before = found.get(name)
            found[name] = merged(before if isinstance(before, dict) else {}, value)
        else:
            found[name] = value
    return found
