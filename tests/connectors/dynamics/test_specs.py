"""What the connector asks for, held against the vendor's interface description."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from connectors.dynamics import Dynamics
from connectors.dynamics.api import logical_name
from connectors.dynamics.columns import LABEL
from connectors.dynamics.readings import READINGS
from connectors.dynamics.settings import OWN_KINDS

SUBSET = Path(__file__).parents[4] / "shared" / "specs" / "dynamics" / "metadata-subset.xml"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
ELSEWHERE = {"incident", "msfp_surveyresponse", "invoice"}
"""Tables of other apps, and one that the description of Sales leaves out."""


@pytest.mark.skipif(not SUBSET.exists(), reason="the vendor's interface description is not beside this project")
def test_every_column_that_is_read_is_one_of_the_tables(crm: Any) -> None:
    kinds = {str(kind.get("Name")): kind for kind in ET.parse(SUBSET).iter(f"{EDM}EntityType")}  # noqa: S314 - a file of ours
    connector = crm.connect()
    unknown = {}

    for stream in Dynamics.streams:
        if stream.name in OWN_KINDS:  # a table of the company's own is in no description
            continue
        name = READINGS[stream.name].table
        if name in ELSEWHERE:
            continue
        own = {one.get("Name") for one in kinds[name].findall(f"{EDM}Property")}
        shared = {one.get("Name") for one in kinds["activitypointer"].findall(f"{EDM}Property")}
        known = own | (shared if str(kinds[name].get("BaseType")).endswith("activitypointer") else set())
        wanted = {column.removesuffix(LABEL) for column in connector._reader.columns.wanted(stream)}
        if lacking := wanted - known - {"changedata"}:
            unknown[stream.name] = lacking

    assert unknown == {}


def test_the_logical_name_of_a_lookup_stands_between_its_marks() -> None:
    assert [logical_name(one) for one in ("_ownerid_value", "systemuserid")] == ["ownerid", "systemuserid"]
