"""What public sources show of SAP's answers, mapped: records of a real tenant, and the metadata they were taken from."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from connectors.sap.api import Rows, SapApi
from connectors.sap.columns import Columns
from connectors.sap.streams import STREAMS

Make = Callable[..., Any]

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "sap"
EDM = "{http://schemas.microsoft.com/ado/2008/09/edm}"
FILES = {
    "EmployeeCollection": "employee", "EmployeeOrganisationalUnitAssignmentCollection": "employee_org_unit",
    "CorporateAccountCollection": "corporate_account", "OpportunityCollection": "opportunity",
    "AppointmentCollection": "appointment", "EMailCollection": "email", "TasksCollection": "task",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not SPECS.exists(), reason="the samples of SAP's answers are not on this machine")


@pytest.fixture(scope="module")
def types() -> Mapping[str, Mapping[str, str]]:
    """Edm types by entity set and property, as the reconstructed metadata has them."""
    root = ET.parse(SPECS / "c4codataapi_subset_reconstructed.edmx").getroot()  # noqa: S314 - the specification
    entities = {
        one.get("Name"): {p.get("Name", ""): p.get("Type", "") for p in one.iter(f"{EDM}Property")}
        for one in root.iter(f"{EDM}EntityType")
    }
    return {
        one.get("Name", ""): entities[one.get("EntityType", "").rpartition(".")[2]]
        for one in root.iter(f"{EDM}EntitySet")
    }


def wire(value: Any, kind: str) -> Any:
    """A value of a sample as the service sends it: the samples have dates in ISO and no null."""
    if kind in {"Edm.DateTime", "Edm.DateTimeOffset"}:
        return f"/Date({int(datetime.fromisoformat(value).timestamp() * 1000)})/" if value else None
    return None if kind == "Edm.Guid" and not value else value


@pytest.fixture
def read(
    make: Make, types: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], list[Any]]:
    """The records that a stream makes of the samples."""
    samples = {
        name: [
            {field: wire(value, types[name].get(field, "")) for field, value in row.items()}
            for row in json.loads((SPECS / "samples" / f"{file}.json").read_text(encoding="utf-8"))
        ]
        for name, file in FILES.items()
    }

    def page(_api: SapApi, path: str, _options: Mapping[str, str]) -> Rows:
        return Rows([dict(row) for row in samples.get(path, [])], None, None)

    monkeypatch.setattr(SapApi, "page", page)
    tenant = make("sap")
    return lambda name: list(tenant.read(tenant.connect(), name).values())


def test_every_property_that_is_asked_for_is_one_of_the_service(
    make: Make, types: Mapping[str, Mapping[str, str]]
) -> None:
    connector = make("sap").connect()
    columns = Columns(connector.api, connector.connection, {})

    unknown = {
        f"{one.remote}.{name}"
        for one in STREAMS
        if one.remote in types
        for name in set(columns.of(one)) - types[one.remote].keys()
    }

    assert unknown == set()


def test_sample_opportunities_are_understood(read: Callable[[str], list[Any]]) -> None:
    trade = next(one for one in read("opportunity") if one.name == "Trade")

    assert (trade.remote_id, trade.account_id, trade.owner_id) == (
        "00163E04B6021EE2B3C2A1CEA2FDAFE1",
        "10005",
        "8000000002",
    )
    assert (trade.amount, trade.currency, trade.probability) == (Decimal(99_999_600), "USD", Decimal("0.6"))
    assert (trade.stage, trade.pipeline, trade.outcome, trade.source) == ("004", "001", "open", "003")
    assert (trade.close_on, trade.closed_at) == (date(2017, 12, 19), None)
    assert trade.modified_at == datetime(2020, 7, 10, 2, 5, 13, tzinfo=UTC)


def test_sample_employees_are_understood(read: Callable[[str], list[Any]]) -> None:
    mike = next(one for one in read("person") if one.name == "Mike Summers")

    assert (mike.remote_id, mike.email, mike.active) == ("8000000001", "user@example.com", True)
    assert (mike.started_on, mike.ended_on) == (None, None)


def test_sample_accounts_are_understood(read: Callable[[str], list[Any]]) -> None:
    porter = next(one for one in read("account") if one.name == "Porter LLC")

    assert (porter.remote_id, porter.industry, porter.region) == ("1001", "44", "MN")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("visit", ("8000000020", "1001710", datetime(2019, 11, 12, 21, tzinfo=UTC), None, False)),
        ("email", (None, "1000490", None, datetime(2013, 6, 22, 9, 6, 58, tzinfo=UTC), True)),
        ("task", ("8000000011", "10033", datetime(2019, 11, 20, 15, 30, tzinfo=UTC), None, False)),
    ],
)
def test_sample_activities_are_understood(
    read: Callable[[str], list[Any]], name: str, expected: tuple[Any, ...]
) -> None:
    first = read(name)[0]

    assert (first.owner_id, first.account_id, first.planned_at, first.completed_at, first.auto_logged) == expected
