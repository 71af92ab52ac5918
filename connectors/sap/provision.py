"""Our fields in SAP: which are there, and what a key user does for those that are not. SAP has no interface to make them."""

from collections.abc import Iterator, Sequence

from connectors.base import FieldSpec, Provisioned
from connectors.sap.api import SapApi
from connectors.sap.metadata import Property
from connectors.sap.write import entity_set

_TYPES = {
    "number": ("Decimal", ("Edm.Decimal", "Edm.Double", "Edm.Int32")),
    "text": ("Text", ("Edm.String",)),
    "long_text": ("Text", ("Edm.String",)),
    "datetime": ("Date and Time", ("Edm.DateTimeOffset", "Edm.String")),
    "date": ("Date", ("Edm.DateTime", "Edm.String")),
}
"""What a key user chooses for each type, and the types under which it may appear in the service."""

SUFFIX = "_KUT"


def provisioned(api: SapApi, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
    """What is there of ``wanted``, and the steps for the rest."""
    for spec in wanted:
        remote = entity_set(spec.target)
        there = api.properties(remote, [spec.name])
        found = None if there is None else there.get(spec.name)
        yield _made(remote, there is not None, spec, found, api.service)


def taken_away(api: SapApi, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
    """The steps that take our fields away."""
    for spec in wanted:
        there = api.properties(entity_set(spec.target), [spec.name]) or {}
        if spec.name not in there:
            yield Provisioned(spec.name, "missing")
            continue
        text = (
            f"delete {spec.label} in the adaptation mode of the {_screen(spec)} screen: Adapt > Edit Master Layout > its "
            "header > Add > Fields > Delete"
        )
        yield Provisioned(spec.name, "by_hand", text)


def _made(remote: str, known: bool, spec: FieldSpec, found: Property | None, service: str) -> Provisioned:
    kind, fitting = _TYPES[spec.type]
    if not known:
        return Provisioned(spec.name, "by_hand", f"the service {service} has no {remote}: add it, or drop `into`")
    if found is None:
        return Provisioned(spec.name, "by_hand", _steps(spec, kind, service))
    if found.edm not in fitting:
        return Provisioned(spec.name, "failed", f"is of type {found.edm}: delete it and create it anew as {kind}")
    if not found.updatable:
        return Provisioned(spec.name, "failed", f"cannot be written by the service {service}: make it editable there")
    if found.length is not None and spec.type in ("text", "long_text") and found.length < spec.length:
        text = f"takes {found.length} characters, ours has up to {spec.length}: create it anew with more"
        return Provisioned(spec.name, "failed", text)
    return Provisioned(spec.name, "exists")


def _screen(spec: FieldSpec) -> str:
    return "Opportunities" if spec.target.record == "opportunity" else "Employees"


def _steps(spec: FieldSpec, kind: str, service: str) -> str:
    length = (
        f" of length {spec.length}" if kind == "Text" else f" with {spec.scale} decimals" if kind == "Decimal" else ""
    )
    technical = spec.name.removesuffix(SUFFIX)
    return (
        f"a key user creates it: open an item of {_screen(spec)}, Adapt > Edit Master Layout, its header > Add > Fields > New "
        f'Field: type {kind}{length}, label "{spec.label}", technical name {technical} (SAP appends {SUFFIX}), editable; then '
        f"Further Usage > OData Services > add it to {service.rpartition('/')[2]}, and publish"
    )
