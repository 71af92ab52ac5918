"""Our extension fields in SAP Version 2: an administrator makes them, for no interface that does is known."""

from collections.abc import Callable, Iterator, Sequence

from connectors.base import FieldSpec, Provisioned

_TYPES = {"number": "Decimal", "text": "Text", "long_text": "Text", "datetime": "Date and Time", "date": "Date"}

Known = Callable[[FieldSpec], bool | None]
"""Whether a field is there; None where the service does not tell."""


def provisioned(wanted: Sequence[FieldSpec], known: Known) -> Iterator[Provisioned]:
    """What is there of ``wanted``, and the steps for the rest."""
    for spec in wanted:
        there = known(spec)
        if there:
            yield Provisioned(spec.name, "exists")
            continue
        doubt = "" if there is False else "if it is not there (the service does not tell): "
        yield Provisioned(spec.name, "by_hand", doubt + _steps(spec))


def taken_away(wanted: Sequence[FieldSpec], known: Known) -> Iterator[Provisioned]:
    """The steps that take our fields away."""
    for spec in wanted:
        if known(spec) is False:
            yield Provisioned(spec.name, "missing")
        else:
            text = (
                f"an administrator deletes {spec.label} under Settings > Extensibility Administration > {_entity(spec)}"
            )
            yield Provisioned(spec.name, "by_hand", text)


def _entity(spec: FieldSpec) -> str:
    return "Opportunity" if spec.target.record == "opportunity" else "Employee"


def _steps(spec: FieldSpec) -> str:
    kind = _TYPES[spec.type]
    size = (
        f" of length {spec.length}" if kind == "Text" else f" with {spec.scale} decimals" if kind == "Decimal" else ""
    )
    return (
        f"an administrator creates it: Settings > Extensibility Administration > {_entity(spec)} > Fields > Create: type {kind}"
        f'{size}, label "{spec.label}", technical name {spec.name}; then adds it to the page layout'
    )
