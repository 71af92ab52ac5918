"""What the connector for Cloud for Customer writes and checks, against the emulator that other hands wrote from the vendor's pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import FieldSpec, Value, Write, WriteTarget
from connectors.errors import ConfigError, RejectedError, RetryLaterError

Make = Callable[..., Any]

DEALS = WriteTarget("opportunity")
SCORE, GRADE, AT = "ZScoreback_Score_KUT", "ZScoreback_Grade_KUT", "ZScoreback_Scored_At_KUT"
VALUES: dict[str, Value] = {SCORE: Decimal("73.5"), GRADE: "B", AT: datetime(2026, 3, 31, 10, 30, tzinfo=UTC)}


def ids_of(tenant: Any) -> list[str]:
    return [tenant.id("opportunities", name) for name in ("100", "101", "102")]


def test_many_records_are_written_in_one_call_and_read_back_equal(make: Make) -> None:
    tenant = make("sap")
    connector, ids = tenant.connect(), ids_of(tenant)
    writes = [Write(one, VALUES) for one in ids]

    first = tenant.calls(lambda: list(connector.write(DEALS, writes)))
    second = tenant.calls(lambda: list(connector.write(DEALS, writes)))

    assert (first, second) == (4, 1)  # metadata, token, batch, a look at one record; then the batch alone
    assert connector.read_fields(DEALS, ids, list(VALUES)) == dict.fromkeys(ids, VALUES)


def test_a_deal_that_changed_since_it_was_read_is_guarded_and_written_all_the_same(make: Make) -> None:
    tenant = make("sap")
    connector, ids = tenant.connect(write_back={"opportunity": {SCORE: "score"}}), ids_of(tenant)
    tenant.pages(connector, "opportunity")
    writes = [Write(one, VALUES) for one in ids]
    list(connector.write(DEALS, writes))
    tenant.emulator.edit("opportunities", "100", {"amount": "5"})

    calls = tenant.calls(lambda: list(connector.write(DEALS, writes)))

    assert calls == 3  # the batch, the new ETag of the one record that a user changed, and that record again
    assert connector.read_fields(DEALS, ids, list(VALUES)) == dict.fromkeys(ids, VALUES)


def test_a_forgotten_session_costs_a_new_token_and_loses_no_write(make: Make) -> None:
    tenant = make("sap")
    connector, ids = tenant.connect(), ids_of(tenant)
    list(connector.write(DEALS, [Write(ids[0], VALUES)]))
    tenant.emulator.faults.arm({"name": "stale_csrf", "times": 1})

    verdicts = list(connector.write(DEALS, [Write(one, VALUES) for one in ids]))

    assert [one.rejected for one in verdicts] == [None] * 3


def test_a_tenant_that_gives_no_token_needs_none(make: Make) -> None:
    tenant = make("sap", csrf=False)

    verdicts = list(tenant.connect().write(DEALS, [Write(one, VALUES) for one in ids_of(tenant)]))

    assert [one.rejected for one in verdicts] == [None] * 3


@pytest.mark.parametrize("status", [200, 202])
def test_each_record_has_its_own_verdict(make: Make, status: int) -> None:
    tenant = make("sap", batch_status=status)
    gone, *ids = ids_of(tenant)
    tenant.emulator.remove("opportunities", "100")
    long = {**VALUES, GRADE: "x" * 300}

    verdicts = list(tenant.connect().write(DEALS, [Write(gone, VALUES), Write(ids[0], long), Write(ids[1], VALUES)]))

    said = [one.rejected and (one.rejected.code, one.rejected.recovery) for one in verdicts]
    assert [one.remote_id for one in verdicts] == [gone, *ids]
    assert [one and one[1] for one in said] == ["gone", "park", None]


def test_a_batch_that_is_too_large_is_sent_in_parts(make: Make) -> None:
    tenant = make("sap", batch_parts=2)

    verdicts = list(tenant.connect().write(DEALS, [Write(one, VALUES) for one in ids_of(tenant)]))

    assert [one.rejected for one in verdicts] == [None] * 3


def test_a_record_that_no_batch_takes_is_refused_alone(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make("sap")
    connector, (heavy, *ids) = tenant.connect(), ids_of(tenant)
    request = connector.http.request

    def bounded(method: str, path: str, **kwargs: Any) -> Any:
        if b"heavy" in kwargs.get("data", b""):
            raise RejectedError("413", "too large", 413)
        return request(method, path, **kwargs)

    monkeypatch.setattr(connector.http, "request", bounded)

    written = connector.write(DEALS, [Write(heavy, {**VALUES, GRADE: "heavy"}), *(Write(one, VALUES) for one in ids)])

    assert {one.remote_id: one.rejected and one.rejected.code for one in written} == {
        heavy: "413",
        **dict.fromkeys(ids),
    }


def test_a_field_that_is_not_in_the_service_is_not_written(make: Make) -> None:
    tenant = make("sap", fields=())
    connector, ids = tenant.connect(), ids_of(tenant)

    verdicts = list(connector.write(DEALS, [Write(ids[0], VALUES)]))

    assert [one.rejected and one.rejected.recovery for one in verdicts] == ["field"]
    with pytest.raises(ConfigError, match=SCORE):
        connector.read_fields(DEALS, ids, [SCORE])


def test_a_value_that_sap_accepts_and_drops_is_refused(make: Make) -> None:
    tenant = make("sap")
    tenant.emulator.store.schema.types["Opportunity"].properties[GRADE].updatable = False

    verdicts = list(tenant.connect().write(DEALS, [Write(ids_of(tenant)[0], VALUES)]))

    assert [one.rejected and (one.rejected.code, one.rejected.recovery) for one in verdicts] == [
        ("VALUE_NOT_KEPT", "field")
    ]


def test_an_employee_is_written_by_the_number_that_deals_name(make: Make) -> None:
    tenant = make("sap")
    connector, people = tenant.connect(), WriteTarget("person")
    ann, fields = tenant.id("people", "1"), {"ZScoreback_Band_KUT": "A"}

    verdicts = list(connector.write(people, [Write(ann, fields), Write("8000000000", fields)]))

    assert [one.rejected and one.rejected.recovery for one in verdicts] == [None, "gone"]
    assert connector.read_fields(people, [ann], list(fields)) == {ann: fields}


ROWS = WriteTarget("person", into="CorporateAccountCollection", key="ExternalID")
"""A set whose key nobody guards, as that of an own object may be."""


def made(tenant: Any) -> list[str]:
    rows = tenant.emulator.store.tables["CorporateAccount"].rows.values()
    return sorted(row["Name"] for row in rows if row.get("ExternalID", "").startswith("key"))


def test_a_row_whose_creation_was_answered_by_nobody_is_found_and_not_made_twice(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()
    writes = [Write(f"key {n}", {"Name": f"Row {n}"}) for n in range(3)]
    list(connector.write(ROWS, writes[:1]))
    tenant.emulator.faults.arm({"name": "cut", "match": "$batch"})

    with pytest.raises(RetryLaterError):
        list(connector.write(ROWS, writes))
    verdicts = list(connector.write(ROWS, [Write(one.remote_id, {"Name": f"{one.remote_id} again"}) for one in writes]))

    assert [one.rejected for one in verdicts] == [None] * 3
    assert made(tenant) == ["key 0 again", "key 1 again", "key 2 again"]


def test_a_row_that_somebody_deleted_is_gone_once_and_then_made_anew(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()
    for name in ("A", "B"):  # made, then found by its key
        list(connector.write(ROWS, [Write("key", {"Name": name})]))
    store = tenant.emulator.store
    accounts = store.tables["CorporateAccount"].rows
    key = next(key for key, row in accounts.items() if row.get("ExternalID") == "key")
    store.delete(store.schema.types["CorporateAccount"], key)

    verdicts = [next(iter(connector.write(ROWS, [Write("key", {"Name": "C"})]))).rejected for _ in range(2)]

    assert [one and one.recovery for one in verdicts] == ["gone", None]


def test_what_is_missing_is_made_by_hand_and_told_step_by_step(make: Make) -> None:
    tenant = make("sap", fields=[{"entity": "Opportunity", "name": SCORE, "type": "text"}])
    wanted = [
        FieldSpec(DEALS, SCORE, "Scoreback score", "number"),
        FieldSpec(DEALS, GRADE, "Scoreback grade", "text", length=10),
    ]

    steps = list(tenant.connect().provision(wanted, dry_run=False))

    assert [one.state for one in steps] == ["failed", "by_hand"]
    assert "technical name ZScoreback_Grade" in steps[1].text
    gone = tenant.connect().unprovision(wanted, dry_run=False)
    assert [one.state for one in gone] == ["by_hand", "missing"]


def test_check_names_what_is_missing_and_nothing_else(make: Make) -> None:
    tenant = make("sap", fields=())
    back = {"opportunity": {SCORE: "score"}}
    connector = tenant.connect(write_back=back, fields={"opportunity": {"next_step": "ZNowhere_KUT"}})

    found = {(one.level, one.where): one for one in connector.check()}

    errors = {where for level, where in found if level == "error"}
    assert errors == {"stream opportunity", "write_back.opportunity"}
    assert "ZNowhere_KUT" in found["error", "stream opportunity"].text
    assert ("ok", "statuses") in found


def test_check_counts_deals_whose_status_nobody_named(make: Make) -> None:
    tenant = make("sap")

    found = [one for one in tenant.connect(statuses={"4": "won"}).check() if one.where == "statuses"]

    assert [(one.level, one.text[:7]) for one in found] == [("warning", "2 deals")]


def test_an_idle_window_costs_one_call_per_stream(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()
    quiet = datetime(2026, 5, 31, tzinfo=UTC) + timedelta(hours=1)
    on = [one.name for one in connector.streams if connector.connection.stream(one.name) is not None]

    calls = tenant.calls(lambda: [tenant.pages(connector, name, quiet) for name in on])

    assert calls == len(on) == 11


def test_check_names_what_links_need_and_the_service_lacks(make: Make) -> None:
    tenant = make("sap")
    del tenant.emulator.store.schema.types["EmployeeOrganisationalUnitAssignment"].properties["RoleCode"]
    tenant.emulator.store.schema.version += 1

    found = {one.where: one for one in tenant.connect().check() if one.level == "warning"}

    assert "AssignmentCollection.RoleCode: manager_id, role, team of person stay unknown" in found["stream person"].text
