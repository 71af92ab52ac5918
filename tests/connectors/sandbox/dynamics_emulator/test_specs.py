"""The Dynamics emulator held against the vendor's interface descriptions: CSDL, Common Data Model, error codes."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import connectors
from connectors.sandbox.dynamics.tables import build
from tests.connectors.sandbox.dynamics_emulator.conftest import Caller

SPECS = Path(__file__).parents[5] / "shared" / "specs" / "dynamics"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
NOT_LISTED = {
    "0x80060888": "the OData layer's own, seen in the field",
    "0x80048d19": "the OData layer's own for bodies, seen in the field",
    "0x80048d3d": "the lock of metadata, microsoft/Dataverse-skills#26: younger than the list",
}
"""Codes that the published list lacks."""
BEYOND = {
    "opportunityproduct": {"isproductoverridden"},
    "organization": {
        "createdon", "modifiedon", "overriddencreatedon", "versionnumber", "isauditenabled", "_createdby_value",
        "_modifiedby_value",
    },
}  # fmt: skip
"""Columns of the vendor's table references that the subset left out."""

pytestmark = pytest.mark.skipif(
    not SPECS.exists(), reason="the vendor's interface descriptions are not beside this project"
)

Types = dict[str, dict[str, Any]]


def types(root: ET.Element) -> Types:
    """Entity types of a CSDL: their base, keys, properties and navigation properties with types."""
    return {
        str(kind.get("Name")): {
            "base": kind.get("BaseType"),
            "key": [one.get("Name") for one in kind.iter(f"{EDM}PropertyRef")],
            "properties": {one.get("Name"): one.get("Type") for one in kind.findall(f"{EDM}Property")},
            "navigation": {one.get("Name"): one.get("Type") for one in kind.findall(f"{EDM}NavigationProperty")},
        }
        for kind in root.iter(f"{EDM}EntityType")
    }


@pytest.fixture
def told(crm: Caller) -> Types:
    """What the emulator's ``$metadata`` says."""
    return types(ET.fromstring(crm("GET", "$metadata").body))  # noqa: S314 - made here


@pytest.fixture(scope="module")
def published() -> Types:
    """What the vendor's pages say."""
    return types(ET.parse(SPECS / "metadata-subset.xml").getroot())  # noqa: S314 - a file of ours


def test_every_type_of_the_published_subset_is_told_alike(told: Types, published: Types) -> None:
    differing = {}
    for name, wanted in published.items():
        ours = told[name]
        lacking = {
            part: {one: kind for one, kind in wanted[part].items() if ours[part].get(one) != kind}
            for part in ("properties", "navigation")
        }
        if (ours["base"], ours["key"]) != (wanted["base"], wanted["key"]) or any(lacking.values()):
            differing[name] = lacking

    assert differing == {}


def test_no_type_of_the_published_subset_has_columns_of_our_invention(told: Types, published: Types) -> None:
    invented = {
        name: extra
        for name, wanted in published.items()
        if (
            extra := {
                one
                for one in told[name]["properties"].keys() - wanted["properties"].keys()
                if not one.startswith("new_")
            }
            - BEYOND.get(name, set())
        )
    }

    assert invented == {}


GUID = r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"
SPELLED: dict[str, Callable[[Any], bool]] = {
    "Edm.Guid": lambda value: isinstance(value, str) and re.fullmatch(GUID, value) is not None,
    "Edm.String": lambda value: isinstance(value, str),
    "Edm.Boolean": lambda value: isinstance(value, bool),
    "Edm.Int32": lambda value: type(value) is int,
    "Edm.Int64": lambda value: type(value) is int,
    "Edm.Decimal": lambda value: type(value) in (int, Decimal),
    "Edm.Double": lambda value: type(value) in (int, Decimal),
    "Edm.Date": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None,
    "Edm.DateTimeOffset": lambda value: (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None
    ),
}
"""How Dataverse spells a value of each type: times in UTC and whole seconds, ids in lower case without braces."""


def test_every_value_in_an_answer_is_spelled_as_the_published_type_of_its_column(crm: Caller, published: Types) -> None:
    sets = {name: table.set_name for name, table in build().items() if name in published}
    wrong, rows = set(), 0

    for name, remote in sets.items():
        base = str(published[name]["base"]).removeprefix("mscrm.")
        types_of = {**published.get(base, {"properties": {}})["properties"], **published[name]["properties"]}
        for row in crm.walk(remote):
            rows += 1
            told = {column: value for column, value in row.items() if column in types_of and value is not None}
            wrong |= {(name, column) for column, value in told.items() if not SPELLED[types_of[column]](value)}

    assert rows > 40
    assert wrong == set()


def lists(found: Any) -> Iterator[tuple[str, dict[int, str]]]:
    """Columns with option values in a document of the Common Data Model."""
    if isinstance(found, dict):
        for values in options(found.get("dataType")) if "sourceName" in found else ():
            yield found["sourceName"], values
        for part in found.values():
            yield from lists(part)
    elif isinstance(found, list):
        for part in found:
            yield from lists(part)


def options(found: Any) -> Iterator[dict[int, str]]:
    """Option values by number, where a data type has some."""
    if isinstance(found, dict):
        if found.get("entityShape") == "listLookupValues":
            yield {int(row[2]): row[1] for row in found["constantValues"] if row[0] == "en" and row[2].isdigit()}
        for part in found.values():
            yield from options(part)
    elif isinstance(found, list):
        for part in found:
            yield from options(part)


@pytest.mark.parametrize("name", ["opportunity", "account", "contact"])
def test_option_values_are_those_of_the_common_data_model(name: str) -> None:
    table = build()[name]
    document = json.loads((SPECS / f"{name.capitalize()}.cdm.json").read_text(encoding="utf-8-sig"))
    published = {column: values for column, values in lists(document) if column in table.columns and values}

    differing = {
        column: values
        for column, values in published.items()
        if table.columns[column].options and not table.columns[column].options.keys() <= values.keys()
    }

    assert published
    assert differing == {}


def test_every_error_code_is_one_of_the_vendors() -> None:
    with (SPECS / "dataverse-error-codes.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["hex"].lower() for row in csv.DictReader(file)}
    sources = Path(str(connectors.__file__)).parent.glob("**/dynamics/*.py")

    used = {code for path in sources for code in re.findall(r"0x[0-9a-f]{8}", path.read_text(encoding="utf-8"))}

    assert used - listed == NOT_LISTED.keys()
