"""``$metadata``: which sets and properties a service has, and what may be done with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from connectors.errors import ContractError

_SAP = "{http://www.sap.com/Protocols/SAPData}"


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity type. ``label`` is in the language of our user."""

    name: str
    edm: str
    updatable: bool = True
    filterable: bool = True
    length: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Properties by entity set."""

    sets: Mapping[str, Mapping[str, Property]]

    def of(self, entity_set: str) -> Mapping[str, Property] | None:
        """The properties of a set; None if the service has no such set."""
        return self.sets.get(entity_set)


def parse(body: bytes) -> Metadata:
    """The metadata document. Raises ContractError for anything else."""
    try:
        root = ET.fromstring(body)  # noqa: S314 - from the CRM that we trust with everything else; expat bounds expansion
    except ET.ParseError as error:
        raise ContractError(f"$metadata is no XML: {error}", body.decode("utf-8", "replace")) from None
    types = {entity.get("Name", ""): dict(_properties(entity)) for entity in _each(root, "EntityType")}
    sets = {
        one.get("Name", ""): types.get(one.get("EntityType", "").rpartition(".")[2], {})
        for one in _each(root, "EntitySet")
    }
    if not sets:
        raise ContractError("$metadata names no entity set", body.decode("utf-8", "replace"))
    return Metadata(sets)


def _each(root: ET.Element, tag: str) -> Iterator[ET.Element]:
    """Elements by name, whichever version of the schema's namespace they are in."""
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == tag)


def _properties(entity: ET.Element) -> Iterator[tuple[str, Property]]:
    for one in _each(entity, "Property"):
        name, length = one.get("Name", ""), one.get("MaxLength", "")
        yield (
            name,
            Property(
                name,
                one.get("Type", ""),
                updatable=one.get(f"{_SAP}updatable") != "false",
                filterable=one.get(f"{_SAP}filterable") != "false",
                length=int(length) if length.isdigit() else None,
                label=one.get(f"{_SAP}label", name),
            ),
        )
