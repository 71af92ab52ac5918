"""The emulator's answers against the names and types of the reconstructed metadata of SAP's service."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

EXTRACT = Path(__file__).parents[5] / "shared" / "specs" / "sap" / "c4codataapi_subset_reconstructed.edmx"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
TENANTS_OWN = {"dataloader1_KUT", "mul1"}
"""Extension fields of the tenant that the extract was taken from."""
DATE = r"/Date\(-?\d+\)/"
FORMS = {
    "Edm.String": r".*", "Edm.Guid": r"[0-9A-F-]{36}", "Edm.Decimal": r"-?\d+\.\d{6}|-?\d+\.\d{2}",
    "Edm.DateTime": DATE, "Edm.DateTimeOffset": DATE,
}  # fmt: skip


def types_of(text: str) -> dict[str, dict[str, str]]:
    """Edm types by entity set and property."""
    root = ET.fromstring(text)  # noqa: S314 - the specification, or the emulator's own words
    types = {
        one.get("Name"): {p.get("Name", ""): p.get("Type", "") for p in one.iter(f"{EDM}Property")}
        for one in root.iter(f"{EDM}EntityType")
    }
    return {
        one.get("Name", ""): types[one.get("EntityType", "").rpartition(".")[2]] for one in root.iter(f"{EDM}EntitySet")
    }


def fits(value: Any, kind: str) -> bool:
    """Whether a JSON value is one of the type."""
    if kind == "Edm.Boolean":
        return isinstance(value, bool)
    if kind == "Edm.Int32":
        return isinstance(value, int)
    if value is None:
        return kind in {"Edm.Guid", "Edm.DateTime", "Edm.DateTimeOffset"}
    return isinstance(value, str) and re.fullmatch(FORMS[kind], value, re.DOTALL) is not None


def test_every_row_has_the_names_and_types_of_the_service(tenant: Any) -> None:
    if not EXTRACT.exists():
        pytest.skip("the extract of the service's metadata is not on this machine")
    theirs, ours = types_of(EXTRACT.read_text(encoding="utf-8")), types_of(tenant("GET", "$metadata").body)

    rows = {name: tenant.json(f"{name}?$top=3")["d"]["results"] for name in theirs if name in ours}

    assert sum(map(bool, rows.values())) >= 8
    for name, found in rows.items():
        for row in found:
            assert not theirs[name].keys() - row.keys() - TENANTS_OWN, name
            wrong = {each: row[each] for each, kind in ours[name].items() if not fits(row[each], kind)}
            assert not wrong, name
            assert row["__metadata"].keys() == {"uri", "type", "etag"}
