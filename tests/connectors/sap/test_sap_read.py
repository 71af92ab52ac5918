"""What the connector for Cloud for Customer reads, against the emulator that other hands wrote from the vendor's pages."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Window
from connectors.errors import (
    ContractError,
    ForbiddenError,
    MappingError,
    MissingFieldsError,
    ResumeLostError,
    SignInError,
)
from connectors.mapping import Mapper
from connectors.sap.api import Rows, SapApi
from connectors.sap.values import seconds

Make = Callable[..., Any]
Many = Callable[[int], Any]

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_deal_says_what_the_tenant_says(make: Make) -> None:
    tenant = make("sap")

    found = tenant.read(tenant.connect(), "opportunity")

    big, done = found[tenant.id("opportunities", "100")], found[tenant.id("opportunities", "101")]
    assert (big.name, big.amount, big.currency, big.outcome) == ("Big", Decimal("12000.5"), "EUR", "open")
    assert (big.close_on, big.probability, big.external_id) == (date(2026, 4, 30), Decimal("0.6"), "L-1")
    assert big.owner_id == tenant.id("people", "1")
    assert big.account_id == tenant.id("accounts", "10")
    assert (done.outcome, done.closed_at) == ("won", datetime(2026, 2, 10, 12, tzinfo=UTC))


def test_an_amount_that_nobody_entered_is_unknown_and_not_zero(make: Make) -> None:
    tenant = make("sap")

    found = tenant.read(tenant.connect(), "opportunity")

    assert found[tenant.id("opportunities", "102")].amount is None


@pytest.mark.parametrize("zero", ["0.000000", "0E-7", "-0.00", "0"])
def test_a_zero_without_a_currency_is_unknown_however_it_is_spelled(
    make: Make, monkeypatch: pytest.MonkeyPatch, zero: str
) -> None:
    tenant = make("sap")
    served = SapApi.page

    def page(api: SapApi, path: str, options: Mapping[str, str]) -> Rows:
        found = served(api, path, options)
        for row in found.rows:
            row["ExpectedRevenueAmount"] = zero
        return found

    monkeypatch.setattr(SapApi, "page", page)

    found = tenant.read(tenant.connect(), "opportunity")

    amounts = [found[tenant.id("opportunities", name)].amount for name in ("100", "102")]
    assert amounts == [0, None]


def test_an_empty_page_with_a_next_link_is_not_the_last(
    make: Make, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make("sap", many(5))
    served = SapApi.page

    def page(api: SapApi, path: str, options: Mapping[str, str]) -> Rows:
        found = served(api, path, options)
        monkeypatch.setattr(SapApi, "more", lambda *_: found)
        return Rows([], found.total, "elsewhere")

    monkeypatch.setattr(SapApi, "page", page)

    assert len(tenant.read(tenant.connect(), "opportunity", START)) == 5


@pytest.mark.parametrize(
    ("text", "length"),
    [("PT1H30M", 5400), ("P0Y0M0DT0H15M0S", 900), ("P1DT1.5S", 86_401), ("P1M", None), ("1 h", None)],
)
def test_a_duration_is_seconds_or_unknown(text: str, length: int | None) -> None:
    assert seconds(text) == length


def test_statuses_mean_what_the_connection_says(make: Make) -> None:
    tenant = make("sap")

    found = tenant.read(tenant.connect(statuses={"4": "omitted"}), "opportunity")

    assert {one.outcome for one in found.values()} == {"omitted", None}


def test_people_have_their_unit_job_and_manager_from_the_assignments(make: Make) -> None:
    tenant = make("sap")

    found = tenant.read(tenant.connect(), "person")

    ann, bo = found[tenant.id("people", "1")], found[tenant.id("people", "2")]
    assert (ann.active, ann.team, ann.role, ann.manager_id, ann.ended_on) == (True, "North", "Lead", None, None)
    assert (bo.active, bo.team, bo.role, bo.ended_on) == (False, "North", "AE", date(2026, 2, 28))
    assert bo.manager_id == ann.remote_id


def test_of_several_managers_of_a_unit_the_one_inside_it_counts_and_for_that_one_the_other(
    make: Make, world: Any
) -> None:
    ann = world["people"][0]
    ann["manager_id"] = "3"
    head = {**ann, "id": "3", "name": "Cy Head", "email": "cy@example.com", "team": "Board", "manager_id": ""}
    world["people"].append(head)
    tenant = make("sap", world)

    found = tenant.read(tenant.connect(), "person")

    managers = {name: found[tenant.id("people", name)].manager_id for name in ("1", "2", "3")}
    assert managers == {"1": tenant.id("people", "3"), "2": tenant.id("people", "1"), "3": None}


def test_activities_of_every_kind_know_their_deal(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()

    found = {
        name: next(iter(tenant.read(connector, name).values()))
        for name in ("call", "meeting", "visit", "email", "task")
    }

    deals = {name: one.opportunity_id for name, one in found.items()}
    big, done = tenant.id("opportunities", "100"), tenant.id("opportunities", "101")
    assert deals == {"call": big, "meeting": big, "visit": None, "email": big, "task": done}
    assert (found["call"].direction, found["call"].duration_seconds) == ("inbound", 300)
    assert found["meeting"].completed_at == datetime(2026, 2, 5, 11, tzinfo=UTC)
    assert found["visit"].completed_at is None
    assert found["task"].owner_id == tenant.id("people", "2")


def test_a_tenant_without_visits_reads_every_appointment_as_a_meeting(make: Make) -> None:
    tenant = make("sap")

    found = tenant.read(tenant.connect(visit_categories=[], streams={"visit": "off"}), "meeting")

    assert len(found) == 2


def test_a_share_is_read_from_the_field_that_the_admin_names(make: Make) -> None:
    tenant = make("sap")

    found = tenant.read(tenant.connect(fields={"split": {"percentage": "ZSplitPercent_KUT"}}), "split")

    assert [(one.percentage, one.person_id) for one in found.values()] == [(Decimal("0.7"), tenant.id("people", "1"))]
    assert [one.percentage for one in tenant.read(tenant.connect(), "split").values()] == [None]


def test_versions_become_the_same_changes_in_a_full_and_in_an_incremental_pull(make: Make) -> None:
    tenant = make("sap", page_cap=2)
    connector = tenant.connect()

    whole, changed = tenant.read(connector, "history"), tenant.read(connector, "history", START)

    stages = [(one.old, one.new, one.by) for one in whole.values() if one.field == "stage" and one.old]
    assert stages == [("001", "002", tenant.id("people", "1"))]
    assert changed == {key: one for key, one in whole.items() if one.modified_at >= START}


def test_a_pull_resumes_behind_any_page(make: Make, many: Many) -> None:
    tenant = make("sap", many(7), page_cap=3)
    whole = tenant.pages(tenant.connect(), "opportunity")

    rest = tenant.pages(tenant.connect(), "opportunity", resume=whole[0].resume)

    assert [len(page.rows) for page in whole] == [3, 3, 1]
    assert [len(page.rows) for page in rest] == [3, 1]


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("sortable", [True, False])
def test_more_changes_of_one_second_than_a_page_holds_are_all_read(
    make: Make, many: Many, sortable: bool, relative: bool
) -> None:
    tenant = make("sap", many(11), page_cap=3, order_by_stamp=sortable, relative_next=relative)

    found = tenant.read(tenant.connect(), "opportunity", START)

    assert len(found) == 11


def test_versions_out_of_order_become_the_same_changes(make: Make, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    change = world["changes"][0]
    for number, (old, new) in enumerate([("Offer", "Won"), ("Won", "Talk"), ("Talk", "Offer")]):
        world["changes"].append(
            {**change, "id": f"d{number}", "old": old, "new": new, "at": f"2026-02-0{number + 2}T10:00:00Z"}
        )
    tenant = make("sap", world, page_cap=2)
    ordered = tenant.read(tenant.connect(), "history")
    served = SapApi.page

    def page(api: SapApi, path: str, options: Mapping[str, str]) -> Rows:
        known = {name: text for name, text in options.items() if name != "$orderby"}
        return served(api, path, {**known, "$orderby": "CreationDateTime desc"})

    monkeypatch.setattr(SapApi, "page", page)

    assert tenant.read(tenant.connect(), "history") == ordered


def test_an_order_that_is_passed_over_without_a_word_loses_nothing(
    make: Make, many: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = many(11)
    for number, deal in enumerate(tables["opportunities"]):
        deal["modified_at"] = f"2026-02-{10 + number * 7 % 11}T10:00:00Z"
    tenant = make("sap", tables, page_cap=3)
    served = SapApi.page

    def page(api: SapApi, path: str, options: Mapping[str, str]) -> Rows:
        return served(api, path, {name: text for name, text in options.items() if name != "$orderby"})

    monkeypatch.setattr(SapApi, "page", page)

    pages = tenant.pages(tenant.connect(), "opportunity", START)

    assert len({raw.fields["ObjectID"] for page in pages for raw in page.rows}) == 11
    assert {page.total for page in pages} == {None}


def test_a_first_page_of_changes_tells_how_many_there_are(make: Make, many: Many) -> None:
    tenant = make("sap", many(5), page_cap=3)

    first = tenant.pages(tenant.connect(), "opportunity", START)[0]

    assert first.total == 5


def test_a_first_page_that_need_not_hold_the_newest_changes_does_not_spare_the_others(make: Make, many: Many) -> None:
    tenant = make("sap", many(5), page_cap=2, order_by_stamp=False)

    pages = tenant.pages(tenant.connect(), "opportunity", START)

    assert [page.total for page in pages] == [None, None, None]


def test_a_property_that_the_service_lacks_is_named_and_the_rest_is_read(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect(fields={"opportunity": {"next_step": "ZNowhere_KUT"}})

    pages = tenant.pages(connector, "opportunity")

    assert [page.lacks for page in pages] == [frozenset({"ZNowhere_KUT"})]
    assert len(pages[0].rows) == 3
    assert tenant.calls(lambda: tenant.pages(connector, "opportunity")) == 1


def test_a_property_that_was_added_is_read_after_a_while(make: Make) -> None:
    tenant = make("sap")
    mapped = {"opportunity": {"next_step": "ZNowhere_KUT"}}
    connector, patient = tenant.connect(fields=mapped, metadata_every="0s"), tenant.connect(fields=mapped)
    for one in (connector, patient):
        tenant.pages(one, "opportunity")
    tenant.emulator.store.schema.add_field({"entity": "Opportunity", "name": "ZNowhere_KUT"})

    lacks = [tenant.pages(one, "opportunity")[0].lacks for one in (connector, patient)]

    assert lacks == [frozenset(), {"ZNowhere_KUT"}]


def test_a_stream_without_its_stamp_stops(make: Make) -> None:
    tenant = make("sap")
    tenant.emulator.faults.arm({"name": "missing_field", "field": "EntityLastChangedOn", "times": None})

    with pytest.raises(MissingFieldsError, match="EntityLastChangedOn"):
        tenant.pages(tenant.connect(), "account")


def test_a_service_without_a_set_stops_the_stream_unless_many_lack_it(make: Make) -> None:
    tenant = make("sap", service="cust/v1/ours")
    connector = tenant.connect(service="/sap/c4c/odata/cust/v1/elsewhere")

    with pytest.raises(ForbiddenError, match="EmployeeCollection is not in the service"):
        tenant.pages(connector, "person")
    assert tenant.pages(connector, "call") == []
    assert len(tenant.read(tenant.connect(service="/sap/c4c/odata/cust/v1/ours"), "person")) == 2


def test_a_log_on_page_is_no_answer(make: Make) -> None:
    tenant = make("sap")
    tenant.emulator.faults.arm({"name": "html_page", "times": None})

    with pytest.raises(ContractError, match="not JSON"):
        tenant.pages(tenant.connect(), "account")


def test_a_refused_password_is_sent_once(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()
    tenant.emulator.signing.passwords = {}

    def read() -> None:
        with pytest.raises(SignInError):
            tenant.pages(connector, "account")

    assert tenant.calls(read) == 1


def test_ids_counts_and_rows_by_id_agree(make: Make, many: Many) -> None:
    tenant = make("sap", many(7), page_cap=3)
    connector = tenant.connect()
    stream = next(one for one in connector.streams if one.name == "opportunity")

    ids = [one for part in connector.ids(stream) or () for one in part]

    assert connector.count(stream) == len(ids) == 7
    pages = list(connector.fetch(stream, [*ids[:2], "0" * 32]) or ())
    assert {raw.fields["ObjectID"] for page in pages for raw in page.rows} == set(ids[:2])


def test_deals_of_activities_and_units_of_people_are_told_without_their_rows(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()
    streams = {one.name: one for one in connector.streams}
    call, bo = tenant.id("activities", "a1"), tenant.id("people", "2")

    links = [raw.fields for raw in connector.links(streams["call"], [call]) or ()]
    units = [raw.fields for raw in connector.links(streams["person"], [bo]) or ()]

    assert [(one["ObjectID"], one["@opportunity"]) for one in links] == [(call, tenant.id("opportunities", "100"))]
    assert [(one["@team"], one["@manager"]) for one in units] == [("North", tenant.id("people", "1"))]
    assert connector.links(streams["account"], ["1"]) is None


REFERENCES = "OpportunityBusinessTransactionDocumentReferenceCollection"
ASSIGNMENTS = "EmployeeOrganisationalUnitAssignmentCollection"


@pytest.mark.parametrize("start", [None, START])
def test_links_that_the_service_does_not_show_are_lacking_and_not_empty(make: Make, start: datetime | None) -> None:
    tenant = make("sap")
    for name in (REFERENCES, ASSIGNMENTS):
        del tenant.emulator.store.schema.sets[name]
    connector = tenant.connect()
    streams = {one.name: one for one in connector.streams}

    calls, people = (tenant.pages(connector, name, start) for name in ("call", "person"))

    assert [page.lacks for page in calls] == [{"@opportunity"}]
    assert [page.lacks for page in people] == [{"@manager", "@role", "@team"}]
    assert connector.links(streams["call"], [tenant.id("activities", "a1")]) is None
    assert connector.links(streams["person"], [tenant.id("people", "1")]) is None


def test_links_whose_properties_the_service_does_not_show_are_lacking_too(make: Make) -> None:
    tenant = make("sap")
    del tenant.emulator.store.schema.types[ASSIGNMENTS.removesuffix("Collection")].properties["RoleCode"]

    [page] = tenant.pages(tenant.connect(), "person")

    assert page.lacks == {"@manager", "@role", "@team"}


def test_an_activity_that_is_younger_than_the_references_that_were_read_has_its_deal(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()
    task, table = tenant.id("activities", "a3"), tenant.emulator.store.tables[REFERENCES.removesuffix("Collection")]
    references = table.rows
    table.replace({})
    list(connector.links(next(one for one in connector.streams if one.name == "task"), [task] * 200) or ())
    table.replace(references)

    found = tenant.read(connector, "task", START)

    assert found[task].opportunity_id == tenant.id("opportunities", "101")


def test_a_next_link_that_the_tenant_has_forgotten_begins_the_window_anew(make: Make, many: Many) -> None:
    tenant = make("sap", many(7), page_cap=3)
    resume = tenant.pages(tenant.connect(), "opportunity")[0].resume

    with pytest.raises(ResumeLostError):
        tenant.pages(tenant.connect(), "opportunity", resume=resume.replace("skiptoken=4", "skiptoken=forgotten"))


def test_a_set_that_vanishes_between_two_pages_is_not_taken_for_one_that_never_was(make: Make, many: Many) -> None:
    tables = many(1)
    deal = tables["opportunities"][0]["id"]
    item = {
        "opportunity_id": deal,
        "product": "GTX",
        "quantity": "1",
        "amount": "1",
        "modified_at": "2026-01-01T00:00:00Z",
    }
    tenant = make("sap", {**tables, "line_items": [{**item, "id": str(n)} for n in range(5)]}, page_cap=3)
    connector = tenant.connect()
    stream = next(one for one in connector.streams if one.name == "line_item")
    pages = connector.pull(stream, Window(None, datetime(2026, 7, 1, tzinfo=UTC)), None)
    next(pages)
    del tenant.emulator.store.schema.sets["OpportunityItemCollection"]

    with pytest.raises(ContractError, match="does not take our question"):
        list(pages)


@pytest.mark.parametrize("field", ["StartDate", "EndDate"])
@pytest.mark.parametrize("start", [None, START])
def test_a_time_of_another_type_makes_its_row_unreadable_and_not_the_others(
    make: Make, field: str, start: datetime | None
) -> None:
    tenant = make("sap")
    tenant.emulator.faults.arm({"name": "wrong_type", "field": field, "object": "AppointmentCollection", "times": None})
    connector = tenant.connect()

    pages = tenant.pages(connector, "meeting", start)

    rows = [raw for page in pages for raw in page.rows]
    assert len(rows) == 1
    with pytest.raises(MappingError):
        Mapper(rows[0].stream, connector.connection, key=b"0123456789abcdef")(rows[0].fields)


@pytest.mark.parametrize(
    ("stream", "at", "field"),
    [
        ("meeting", "AppointmentCollection", "EntityLastChangedOn"),
        ("history", "OpportunityHistoricalVersionCollection", "CreationDateTime"),
        ("person", "EmployeeOrganisationalUnitAssignmentCollection", "StartDate"),
    ],
)
def test_what_pages_and_links_rest_on_stops_its_stream_where_it_has_another_type(
    make: Make, stream: str, at: str, field: str
) -> None:
    tenant = make("sap")
    tenant.emulator.faults.arm({"name": "wrong_type", "field": field, "object": at, "times": None})

    with pytest.raises(ContractError, match="not what SAP says it is"):
        tenant.pages(tenant.connect(), stream, START)


def test_long_keys_are_asked_for_in_portions_that_fit_into_a_url(make: Make) -> None:
    tenant = make("sap")
    connector = tenant.connect()
    keys = [f"{'价值' * 40}{n}" for n in range(60)]

    calls = tenant.calls(
        lambda: list(connector.api.by_key("CorporateAccountCollection", "ExternalID", keys, ["ObjectID"]))
    )

    assert calls > 1
