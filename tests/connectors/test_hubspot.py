"""The HubSpot connector against the emulator: everything it reads, every call it makes, every verdict it gives."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.auth import MemoryTokens
from connectors.base import FieldSpec, Page, Raw, Stream, Value, Window, Write, WriteTarget
from connectors.errors import (
    AllowanceError,
    ConfigError,
    ContractError,
    ForbiddenError,
    RejectedError,
    RetryLaterError,
    SignInError,
)
from connectors.http import Http
from connectors.hubspot import HubSpot
from connectors.hubspot.settings import HubSpotSettings
from connectors.mapping import Mapper, content_hash
from connectors.records import Record
from connectors.sandbox.hubspot import HubSpotEmulator
from connectors.sandbox.hubspot.portal import RequiredRule
from connectors.sandbox.server import Server

KEY = b"0123456789abcdef"
STREAMS = {stream.name: stream for stream in HubSpot.streams}
ALL = frozenset(STREAMS) - HubSpotSettings.own_objects
ALONG = frozenset({"change", "split"})
"""What the pages of deals bring along."""
DEALS = WriteTarget("opportunity")
PEOPLE = WriteTarget("person")
KEYED = WriteTarget("person", into="scoreback_appraisal", key="scoreback_key")
TOUCH = "2026-03-02T09:00:00Z"

WORLD: dict[str, list[dict[str, str]]] = {
    "people": [
        {"id": "701", "name": "Lin Wei", "email": "lin@example.com", "active": "true", "team": "North", "region": "EMEA",
         "role": "AE"},
        {"id": "702", "name": "Ana Paz", "email": "ana@example.com", "active": "true", "team": "South"},
        {"id": "703", "name": "Old Hand", "email": "old@example.com", "active": "false", "team": "North"},
    ],
    "accounts": [
        {"id": "201", "name": "Acme", "industry": "RETAIL", "created_at": "2025-01-01T00:00:00Z", "owner_id": "701",
         "modified_at": TOUCH},
        {"id": "202", "name": "Acme Ost", "parent_id": "201", "modified_at": TOUCH},
    ],
    "stages": [
        {"id": "1", "pipeline": "default", "stage": "9001", "label": "New", "position": "1", "outcome": "open",
         "probability": "0.2"},
        {"id": "2", "pipeline": "default", "stage": "9002", "label": "Won", "position": "2", "outcome": "won",
         "probability": "1"},
        {"id": "3", "pipeline": "default", "stage": "9003", "label": "Lost", "position": "3", "outcome": "lost",
         "probability": "0"},
    ],
    "opportunities": [
        {"id": "501", "name": "Renewal", "account_id": "201", "owner_id": "701", "pipeline": "default", "stage": "9002",
         "outcome": "won", "amount": "1200.50", "currency": "EUR", "created_at": "2026-01-05T09:00:00Z",
         "close_on": "2026-03-01", "closed_at": "2026-03-01T10:00:00Z", "modified_at": TOUCH},
        {"id": "502", "name": "Neu", "account_id": "202", "owner_id": "703", "pipeline": "default", "stage": "9001",
         "outcome": "open", "created_at": "2026-02-01T09:00:00Z", "close_on": "2026-06-30", "modified_at": TOUCH},
        {"id": "503", "name": "Gone cold", "owner_id": "702", "pipeline": "default", "stage": "9003", "outcome": "lost",
         "amount": "0", "currency": "USD", "created_at": "2026-02-01T09:00:00Z", "close_on": "2026-02-20",
         "closed_at": "2026-02-20T10:00:00Z", "modified_at": TOUCH},
    ],
    "changes": [
        {"id": "1", "record": "opportunity", "record_id": "501", "field": "stage", "new": "9001",
         "at": "2026-01-05T09:00:00Z", "by": "701"},
        {"id": "2", "record": "opportunity", "record_id": "501", "field": "stage", "old": "9001", "new": "9002",
         "at": "2026-03-01T10:00:00Z", "by": "702"},
        {"id": "3", "record": "opportunity", "record_id": "501", "field": "amount", "new": "1000",
         "at": "2026-01-05T09:00:00Z", "by": "701"},
        {"id": "4", "record": "opportunity", "record_id": "501", "field": "amount", "old": "1000", "new": "1200.50",
         "at": "2026-02-05T09:00:00Z", "by": "701"},
        {"id": "5", "record": "opportunity", "record_id": "503", "field": "stage", "old": "9001", "new": "9003",
         "at": "2026-02-20T10:00:00Z", "by": "703"},
    ],
    "activities": [
        {"id": "601", "kind": "call", "owner_id": "701", "opportunity_id": "501", "account_id": "201",
         "contact_ids": "301;302", "direction": "outbound", "two_way": "true", "created_at": "2026-02-01T10:00:00Z",
         "completed_at": "2026-02-01T10:00:00Z", "duration_seconds": "90", "modified_at": TOUCH},
        {"id": "602", "kind": "meeting", "owner_id": "701", "opportunity_id": "501",
         "planned_at": "2026-02-03T10:00:00Z", "completed_at": "2026-02-03T11:00:00Z", "modified_at": TOUCH},
        {"id": "603", "kind": "email", "owner_id": "702", "direction": "inbound", "account_id": "202",
         "completed_at": "2026-02-04T10:00:00Z", "modified_at": TOUCH},
        {"id": "604", "kind": "task", "owner_id": "702", "opportunity_id": "502", "planned_at": "2026-02-05T10:00:00Z",
         "modified_at": TOUCH},
    ],
    "targets": [
        {"id": "801", "subject_kind": "person", "subject_id": "701", "metric": "bookings", "period_start": "2026-01-01",
         "period_end": "2026-03-31", "amount": "100000", "currency": "EUR", "modified_at": TOUCH},
    ],
    "line_items": [{"id": "1001", "opportunity_id": "501", "product": "GTX", "quantity": "2", "amount": "1200.50",
                    "modified_at": TOUCH}],
    "surveys": [{"id": "1101", "account_id": "201", "scale": "nps", "answer": "9", "answered_at": TOUCH,
                 "modified_at": TOUCH}],
    "payments": [
        {"id": "1201", "opportunity_id": "501", "amount": "1200.50", "currency": "EUR", "paid_on": "2026-03-03",
         "kind": "invoice", "modified_at": TOUCH},
        {"id": "1202", "opportunity_id": "501", "amount": "1200.50", "currency": "EUR", "paid_on": "2026-03-29",
         "kind": "payment", "modified_at": TOUCH},
        {"id": "1203", "opportunity_id": "501", "amount": "200.50", "currency": "EUR", "paid_on": "2026-04-02",
         "kind": "refund", "modified_at": TOUCH},
    ],
    "contracts": [{"id": "1301", "account_id": "201", "recurring_amount": "100", "currency": "EUR",
                   "start_on": "2025-03-01", "end_on": "2026-02-28", "modified_at": TOUCH}],
    "forecasts": [{"id": "1401", "owner_id": "701", "period_start": "2026-01-01", "period_end": "2026-03-31",
                   "layer": "rep", "category": "commit", "amount": "9000", "at": TOUCH, "modified_at": TOUCH}],
    "rates": [{"id": "901", "currency": "USD", "to": "EUR", "rate": "0.92", "on": "2026-01-01"}],
}  # fmt: skip


def write_world(folder: Path, world: Mapping[str, Sequence[Mapping[str, str]]]) -> Path:
    for table, rows in world.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            names = list(dict.fromkeys(name for row in rows for name in row))
            writer = csv.DictWriter(file, names, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[HubSpotEmulator]:
    emulator = HubSpotEmulator(write_world(tmp_path, WORLD))
    with Server(emulator):
        yield emulator


Open = Callable[..., HubSpot]


@pytest.fixture
def opened(emulator: HubSpotEmulator) -> Iterator[Open]:
    """Opens connectors as new processes would: nothing is shared between them."""
    connectors: list[HubSpot] = []

    def open_one(**settings: Any) -> HubSpot:
        data = {"base_url": emulator.url, "sign_in": {"token": "sandbox"}, **settings}
        connection = HubSpotSettings.model_validate(data, context={"loopback": True}).named("crm")
        auth = HubSpot.auth.bind(connection, MemoryTokens())
        connectors.append(HubSpot(connection, Http(connection, HubSpot.manners, auth, sleep=lambda _seconds: None)))
        return connectors[-1]

    yield open_one
    for connector in connectors:
        connector.close()


@pytest.fixture
def hubspot(opened: Open) -> HubSpot:
    return opened()


def window(start: str | None = None, end: str = "2027-01-01T00:00:00+00:00", **more: Any) -> Window:
    return Window(datetime.fromisoformat(start) if start else None, datetime.fromisoformat(end), **more)


def raws(pages: Iterator[Page]) -> list[Raw]:
    return [raw for page in pages for raw in page.rows]


def records(connector: HubSpot, rows: Sequence[Raw]) -> dict[str, Any]:
    found: dict[str, Record] = {}
    for raw in rows:
        record = Mapper(raw.stream, connector.connection, key=KEY)(raw.fields)
        found[record.remote_id] = record
    return found


def pulled(connector: HubSpot, stream: str, asked: Window | None = None) -> dict[str, Any]:
    return records(connector, raws(connector.pull(STREAMS[stream], asked or window(), None)))


def deals(found: Mapping[str, Any]) -> dict[str, Any]:
    return {remote_id: record for remote_id, record in found.items() if record.kind_name == "opportunity"}


def calls(emulator: HubSpotEmulator) -> Counter[str]:
    return Counter({where: count for where, count in emulator.stats.items() if "/__" not in where})


# -- what is read -----------------------------------------------------------------------------------------------------


def test_a_first_load_brings_people_who_left_too(hubspot: HubSpot) -> None:
    people = pulled(hubspot, "person")

    assert {one: (person.name, person.email, person.active, person.team) for one, person in people.items()} == {
        "701": ("Lin Wei", "lin@example.com", True, "North"),
        "702": ("Ana Paz", "ana@example.com", True, "South"),
        "703": ("Old Hand", "old@example.com", False, "North"),
    }


def test_mapped_properties_of_a_person_come_from_the_users_object(opened: Open) -> None:
    hubspot = opened(fields={"person": {"region": "region", "role": "role"}})

    people = pulled(hubspot, "person")

    assert (people["701"].region, people["701"].role, people["702"].region) == ("EMEA", "AE", None)


def test_companies_come_with_their_parents(hubspot: HubSpot) -> None:
    accounts = pulled(hubspot, "account")

    assert (accounts["201"].name, accounts["201"].industry, accounts["201"].owner_id) == ("Acme", "RETAIL", "701")
    assert (accounts["201"].parent_id, accounts["202"].parent_id) == (None, "201")


def test_stages_mean_what_their_metadata_says(hubspot: HubSpot) -> None:
    stages = {record.stage: record for record in pulled(hubspot, "stage").values()}

    assert [(stages[stage].outcome, stages[stage].probability) for stage in ("9001", "9002", "9003")] == [
        ("open", Decimal("0.2")),
        ("won", Decimal(1)),
        ("lost", Decimal(0)),
    ]


def test_a_deal_comes_whole(hubspot: HubSpot) -> None:
    deal = deals(pulled(hubspot, "opportunity", window(streams=ALL)))["501"]

    assert (deal.name, deal.account_id, deal.owner_id) == ("Renewal", "201", "701")
    assert (deal.pipeline, deal.stage, deal.probability) == ("default", "9002", Decimal(1))
    assert (deal.amount, deal.currency, deal.deleted) == (Decimal("1200.5"), "EUR", False)
    assert (deal.close_on, deal.closed_at) == (date(2026, 3, 1), datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert (deal.created_at, deal.modified_at) == (
        datetime(2026, 1, 5, 9, tzinfo=UTC),
        datetime(2026, 3, 2, 9, tzinfo=UTC),
    )


def test_a_missing_amount_is_unknown_and_zero_is_zero(hubspot: HubSpot) -> None:
    found = deals(pulled(hubspot, "opportunity"))

    assert (found["502"].amount, found["503"].amount) == (None, Decimal(0))


def test_a_deal_without_currency_is_in_that_of_the_company(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    found = deals(pulled(hubspot, "opportunity"))

    assert (found["502"].currency, found["503"].currency) == (hubspot.account.currency, "USD")


def test_a_close_date_is_the_day_of_the_account_not_that_of_utc(hubspot: HubSpot) -> None:
    (raw,) = [raw for raw in raws(hubspot.pull(STREAMS["opportunity"], window(), None)) if raw.fields["id"] == "502"]

    told = hubspot.api.read("deals", ["502"], properties=["closedate"])

    assert [row["properties"]["closedate"][:10] for row in told] == ["2026-06-29"]
    assert records(hubspot, [raw])["502"].close_on == date(2026, 6, 30)


def test_a_change_by_somebody_who_left_still_has_a_name(hubspot: HubSpot) -> None:
    found = pulled(hubspot, "opportunity", window("2020-01-01T00:00:00+00:00", streams=ALL)).values()

    by = {one.by for one in found if one.kind_name == "change" and (one.record_id, one.new) == ("503", "9003")}
    assert by == {"703"}


def test_an_open_deal_has_no_time_of_closing(hubspot: HubSpot) -> None:
    assert deals(pulled(hubspot, "opportunity", window(streams=ALL)))["502"].closed_at is None


def test_history_comes_with_the_deals(hubspot: HubSpot) -> None:
    found = pulled(hubspot, "opportunity", window(streams=ALL)).values()

    changes = [record for record in found if record.kind_name == "change" and record.record_id == "501"]
    told = {(one.field, one.new, one.at.isoformat(), one.by) for one in changes if one.field in ("stage", "amount")}
    assert told == {
        ("stage", "9001", "2026-01-05T09:00:00+00:00", "701"),
        ("stage", "9002", "2026-03-01T10:00:00+00:00", "702"),
        ("amount", "1000", "2026-01-05T09:00:00+00:00", "701"),
        ("amount", "1200.5", "2026-02-05T09:00:00+00:00", "701"),
    }
    assert {one.old for one in changes} == {None}


def test_history_is_left_out_when_its_stream_is_off(hubspot: HubSpot) -> None:
    found = pulled(hubspot, "opportunity", window(streams=ALL - {"change"}))

    assert {record.kind_name for record in found.values()} == {"opportunity"}


def test_search_and_list_tell_the_same(opened: Open) -> None:
    listed, searched = opened(), opened()

    by_list = pulled(listed, "opportunity", window(streams=ALL))
    by_search = pulled(searched, "opportunity", window("2020-01-01T00:00:00+00:00", streams=ALL))

    assert {one: content_hash(record) for one, record in by_list.items()} == {
        one: content_hash(record) for one, record in by_search.items()
    }


def test_a_call_comes_with_what_it_is_about(hubspot: HubSpot) -> None:
    call = pulled(hubspot, "call")["601"]

    assert (call.kind, call.owner_id, call.opportunity_id, call.account_id) == ("call", "701", "501", "201")
    assert (call.direction, call.two_way, call.duration_seconds) == ("outbound", True, 90)
    assert call.completed_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert call.contact_ids is not None
    assert len(call.contact_ids) == 2


def test_meetings_emails_and_tasks_say_when_they_were_done(hubspot: HubSpot) -> None:
    meeting, email, task = (
        pulled(hubspot, name)[remote_id] for name, remote_id in (("meeting", "602"), ("email", "603"), ("task", "604"))
    )

    assert (meeting.completed_at, meeting.opportunity_id) == (datetime(2026, 2, 3, 11, tzinfo=UTC), "501")
    assert (email.completed_at, email.direction) == (datetime(2026, 2, 4, 10, tzinfo=UTC), "inbound")
    assert (task.planned_at, task.completed_at) == (datetime(2026, 2, 5, 10, tzinfo=UTC), None)


def test_a_target_belongs_to_an_owner_for_whole_days(hubspot: HubSpot) -> None:
    (target,) = pulled(hubspot, "target").values()

    assert (target.subject_kind, target.subject_id, target.metric) == ("person", "701", "bookings")
    assert (target.period_start, target.period_end, target.amount) == (
        date(2026, 1, 1),
        date(2026, 3, 31),
        Decimal(100000),
    )


def test_a_rate_says_what_one_unit_is_worth(hubspot: HubSpot) -> None:
    (rate,) = pulled(hubspot, "rate").values()

    assert (rate.currency, rate.to, rate.rate, rate.on) == ("USD", "EUR", Decimal("0.92"), date(2026, 1, 1))
    assert rate.until == date(9999, 12, 31)


@pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])
def test_every_version_of_the_api_tells_the_same(opened: Open, version: str) -> None:
    def told(connector: HubSpot) -> dict[str, str]:
        asked = (window(streams=ALL), window("2020-01-01T00:00:00+00:00", streams=ALL))
        found = [(name, pulled(connector, name, one)) for name in sorted(ALL) for one in asked]
        return {
            f"{name} {at} {one}": content_hash(record)
            for at, (name, rows) in enumerate(found)
            for one, record in rows.items()
        }

    found = told(opened(api_version=version))

    assert {key.split(" ")[0] for key in found} == ALL - ALONG
    assert found == told(opened())


@pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])
def test_every_version_of_the_api_is_provisioned_written_and_read_back(opened: Open, version: str) -> None:
    hubspot = opened(api_version=version)
    list(hubspot.provision([spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)], dry_run=False))

    for target, remote_id in ((DEALS, "501"), (PEOPLE, "701"), (KEYED, "701:2026-Q4")):
        assert verdicts(hubspot, target, [Write(remote_id, VALUES)]) == {remote_id: None}
        assert hubspot.read_fields(target, [remote_id], list(VALUES)) == {remote_id: VALUES}


def test_a_call_with_more_contacts_than_a_row_carries_has_them_all(opened: Open, emulator: HubSpotEmulator) -> None:
    contacts = ";".join(str(number) for number in range(3001, 3651))
    call = emulator.edit("activities", None, {"kind": "call", "contact_ids": contacts, "completed_at": TOUCH})

    found = [pulled(opened(), "call", asked)[call] for asked in (window(), window("2020-01-01T00:00:00+00:00"))]

    assert [len(one.contact_ids) for one in found] == [650, 650]
    assert content_hash(found[0]) == content_hash(found[1])


def test_a_person_is_known_by_the_user_id_where_the_users_object_names_no_owner(
    opened: Open, emulator: HubSpotEmulator
) -> None:
    hubspot = opened(fields={"person": {"region": "region"}})
    emulator.faults.arm({"name": "missing_field", "field": "hubspot_owner_id", "object": "users"})

    people = pulled(hubspot, "person")

    assert people["701"].region == "EMEA"


def test_a_goal_of_a_team_is_the_team_s(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    goal = emulator.edit("targets", None, {**WORLD["targets"][0], "subject_kind": "team", "subject_id": "South"})

    target = pulled(hubspot, "target")[goal]

    assert (target.subject_kind, target.subject_id) == ("team", "South")


def test_properties_that_do_not_fit_into_a_url_are_refused_before_the_call(opened: Open) -> None:
    extra = {f"field_{number}": f"a_custom_property_with_a_long_name_{number}" for number in range(200)}

    with pytest.raises(ContractError, match="map fewer"):
        pulled(opened(fields={"opportunity": {"extra": extra}}), "opportunity")


def test_a_custom_field_and_another_amount_are_read_where_they_are_mapped(opened: Open) -> None:
    hubspot = opened(fields={"opportunity": {"amount": "amount_in_home_currency", "extra": {"legacy": "external_id"}}})

    found = pulled(hubspot, "opportunity", window(streams=ALL))

    assert deals(found)["501"].amount == Decimal("1200.5")
    assert {one.remote_id.split(":")[1] for one in found.values() if getattr(one, "field", "") == "amount"} <= {
        "amount_in_home_currency"
    }


# -- calls ------------------------------------------------------------------------------------------------------------


def test_a_first_load_of_deals_takes_one_call_per_fifty(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    pulled(hubspot, "person")
    _ = hubspot.now()
    emulator.stats.clear()

    pulled(hubspot, "opportunity", window(streams=ALL))

    assert sum(calls(emulator).values()) == 1


def test_a_cycle_without_changes_takes_one_call_per_stream(opened: Open, emulator: HubSpotEmulator) -> None:
    hubspot = opened()
    emulator.stats.clear()

    for name in sorted(ALL - {"stage", "rate"}):
        pulled(hubspot, name, window("2026-11-01T00:00:00+00:00", streams=ALL))

    assert sum(calls(emulator).values()) == len(ALL - {"stage", "rate"} - ALONG)


def test_our_own_echo_takes_no_further_call_and_overwrites_nothing(opened: Open, emulator: HubSpotEmulator) -> None:
    hubspot = opened()
    _ = hubspot.now()
    emulator.stats.clear()
    known = window("2020-01-01T00:00:00+00:00", streams=ALL, changed=lambda _rows: [])

    (page,) = hubspot.pull(STREAMS["opportunity"], known, None)

    assert (list(page.rows), page.total) == ([], 3)
    assert sum(calls(emulator).values()) == 1


def test_only_changed_rows_are_completed(hubspot: HubSpot) -> None:
    def only_first(rows: Sequence[Raw]) -> Sequence[Raw]:
        return [raw for raw in rows if raw.fields["id"] == "501"]

    found = pulled(hubspot, "opportunity", window("2020-01-01T00:00:00+00:00", streams=ALL, changed=only_first))

    assert [deal.account_id for deal in deals(found).values()] == ["201"]
    assert {record.record_id for record in found.values() if record.kind_name == "change"} == {"501"}


def test_a_window_is_half_open(hubspot: HubSpot) -> None:
    at, after = TOUCH.replace("Z", "+00:00"), "2026-03-02T09:00:00.001+00:00"

    inside = pulled(hubspot, "account", window(at, after))
    before = pulled(hubspot, "account", window("2026-03-01T00:00:00+00:00", at))

    assert (len(inside), len(before)) == (2, 0)


def test_since_reads_a_first_load_by_search(hubspot: HubSpot) -> None:
    assert len(pulled(hubspot, "account", window(since=date(2026, 3, 2)))) == 2
    assert len(pulled(hubspot, "account", window(since=date(2026, 3, 3)))) == 0


@pytest.fixture
def flood(emulator: HubSpotEmulator) -> int:
    """More companies than a search tells of by offset, all stamped in the same millisecond."""
    at = emulator.now()
    emulator.clock = lambda: at
    for number in range(10_100):
        emulator.edit("accounts", None, {"name": f"Company {number}"})
    return 10_100


def test_a_flood_of_equal_stamps_is_read_once_each_and_ends(hubspot: HubSpot, flood: int) -> None:
    pages = list(hubspot.pull(STREAMS["account"], window("2026-11-01T00:00:00+00:00"), None))

    ids = [raw.fields["id"] for page in pages[1:] for raw in page.rows]
    assert pages[0].total == flood
    assert len(ids) == len(set(ids)) == flood
    assert pages[-1].resume is None


def test_a_page_by_id_without_rows_that_is_not_the_last_is_an_error_and_no_end(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hubspot.api.search

    def emptied(remote: str, filters: Sequence[Any], *rest: Any) -> Any:
        found = real(remote, filters, *rest)
        return {**found, "total": 400} if len(filters) < 3 else {"results": [], "paging": {"next": {"after": "200"}}}

    monkeypatch.setattr(hubspot.api, "search", emptied)

    with pytest.raises(ContractError, match="would not end"):
        list(hubspot.pull(STREAMS["account"], window("2020-01-01T00:00:00+00:00"), None))


def test_rows_whose_stamps_run_against_their_ids_are_all_read(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    for number in range(650):
        emulator.skew = timedelta(seconds=-number)
        emulator.edit("accounts", None, {"name": f"Company {number}"})

    _, *rest = hubspot.pull(STREAMS["account"], window("2026-11-01T00:00:00+00:00"), None)

    assert len({raw.fields["id"] for page in rest for raw in page.rows}) == 650


def test_history_of_many_changed_deals_is_read_fifty_at_a_time(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    for number in range(120):
        deal = {"name": f"Deal {number}", "pipeline": "default", "stage": "9001", "amount": str(number)}
        emulator.edit("opportunities", None, deal)
    emulator.stats.clear()

    found = pulled(hubspot, "opportunity", window("2026-11-01T00:00:00+00:00", streams=ALL))

    changes = [one for one in found.values() if one.kind_name == "change" and one.field == "amount"]
    assert (len(deals(found)), len(changes)) == (120, 120)
    assert calls(emulator)["POST /crm/objects/2026-03/{type}/batch/read"] == 3


def test_a_pull_goes_on_behind_the_page_where_it_stopped(opened: Open, flood: int) -> None:
    for asked, known in ((window(), flood + 2), (window("2026-11-01T00:00:00+00:00"), flood)):
        first = next(opened().pull(STREAMS["account"], asked, None))

        rest = raws(opened().pull(STREAMS["account"], asked, first.resume))

        ids = {raw.fields["id"] for raw in (*first.rows, *rest)}
        assert len(ids) == known


# -- what is gone -----------------------------------------------------------------------------------------------------


def gone(connector: HubSpot, stream: str, start: datetime | None = None) -> dict[str, Any]:
    return records(connector, raws(connector.deletions(STREAMS[stream], start, connector.now())))


def test_a_deleted_deal_arrives_as_deleted(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.remove("opportunities", "502")

    assert {one: record.deleted for one, record in gone(hubspot, "opportunity").items()} == {"502": True}
    assert gone(hubspot, "opportunity", hubspot.now() + timedelta(days=1)) == {}


def test_a_leaver_arrives_with_the_deletions_but_is_not_deleted(hubspot: HubSpot) -> None:
    found = gone(hubspot, "person")

    assert {one: (record.active, record.deleted) for one, record in found.items()} == {"703": (False, False)}


def test_the_loser_of_a_merge_arrives_as_deleted(hubspot: HubSpot) -> None:
    start = hubspot.now() - timedelta(minutes=1)
    winner = hubspot.http.post(
        "/crm/v3/objects/deals/merge", json={"primaryObjectId": "501", "objectIdToMerge": "502"}
    )["id"]

    found = records(hubspot, raws(hubspot.deletions(STREAMS["opportunity"], start, start + timedelta(hours=1))))

    assert (found["502"].deleted, found["502"].merged_into) == (True, winner)


def test_an_account_that_does_not_tell_of_merges_still_tells_of_deletions(
    hubspot: HubSpot, emulator: HubSpotEmulator
) -> None:
    emulator.portal.store.table("deals").properties.pop("hs_merged_object_ids")
    emulator.remove("opportunities", "502")

    assert set(gone(hubspot, "opportunity")) == {"502"}


def test_owners_are_listed_a_hundred_at_a_time_where_five_hundred_are_refused(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, limits = hubspot.api._owners.get_page, []

    def capped(**query: Any) -> Any:
        limits.append(query["limit"])
        if query["limit"] > 100:
            raise RejectedError("VALIDATION_ERROR", "limit must not exceed 100", 400)
        return real(**query)

    monkeypatch.setattr(hubspot.api._owners, "get_page", capped)

    for _ in range(2):
        assert len(pulled(hubspot, "person", window("2020-01-01T00:00:00+00:00"))) == 2
    assert limits == [500, 100, 100]  # refused once, and not asked again


# -- writing ----------------------------------------------------------------------------------------------------------


def specs(target: WriteTarget) -> list[FieldSpec]:
    return [
        FieldSpec(target, "scoreback_score", "Score", "number", help="0 to 100"),
        FieldSpec(target, "scoreback_reasons", "Reasons", "long_text"),
        FieldSpec(target, "scoreback_scored_at", "Scored at", "datetime"),
        FieldSpec(target, "scoreback_day", "Day", "date"),
    ]


VALUES: dict[str, Value] = {
    "scoreback_score": Decimal("87.5"),
    "scoreback_reasons": "no next step; 你好",
    "scoreback_scored_at": datetime(2026, 11, 23, 8, 0, 0, 123000, tzinfo=UTC),
    "scoreback_day": date(2026, 11, 23),
}


@pytest.fixture
def ready(hubspot: HubSpot) -> HubSpot:
    list(hubspot.provision([spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)], dry_run=False))
    return hubspot


def verdicts(connector: HubSpot, target: WriteTarget, writes: Sequence[Write]) -> dict[str, Any]:
    return {written.remote_id: written.rejected for written in connector.write(target, writes)}


@pytest.mark.parametrize(
    ("target", "remote_id"), [(DEALS, "501"), (PEOPLE, "701"), (KEYED, "701:2026-Q4")], ids=["deal", "user", "keyed"]
)
def test_what_was_written_is_what_the_crm_holds(ready: HubSpot, target: WriteTarget, remote_id: str) -> None:
    verdict = verdicts(ready, target, [Write(remote_id, VALUES)])

    assert verdict == {remote_id: None}
    assert ready.read_fields(target, [remote_id], list(VALUES)) == {remote_id: VALUES}


def test_a_keyed_write_twice_makes_one_row(ready: HubSpot) -> None:
    for score in (1, 2):
        verdicts(ready, KEYED, [Write("701:2026-Q4", {"scoreback_score": Decimal(score)})])

    found = ready.read_fields(KEYED, ["701:2026-Q4", "702:2026-Q4"], ["scoreback_score"])

    assert found == {"701:2026-Q4": {"scoreback_score": Decimal(2)}}


def test_none_empties_a_field(ready: HubSpot) -> None:
    verdicts(ready, DEALS, [Write("501", VALUES)])

    verdicts(ready, DEALS, [Write("501", {"scoreback_score": None})])

    assert ready.read_fields(DEALS, ["501"], ["scoreback_score"]) == {"501": {"scoreback_score": None}}


def test_every_record_of_a_mixed_batch_gets_its_own_verdict(ready: HubSpot) -> None:
    given = [
        Write("501", {"scoreback_score": Decimal(1)}),
        Write("502", {"scoreback_unknown": "x"}),
        Write("503", {"scoreback_scored_at": "no time"}),
        Write("999999", {"scoreback_score": Decimal(1)}),
    ]

    found = verdicts(ready, DEALS, given)

    assert {one: rejected and rejected.recovery for one, rejected in found.items()} == {
        "501": None,
        "502": "field",
        "503": "park",
        "999999": "gone",
    }
    assert ready.read_fields(DEALS, ["501"], ["scoreback_score"]) == {"501": {"scoreback_score": Decimal(1)}}


def test_somebody_without_a_users_object_is_parked_and_the_others_are_written(ready: HubSpot) -> None:
    found = verdicts(ready, PEOPLE, [Write("701", VALUES), Write("999999", VALUES)])

    assert (found["701"], found["999999"].recovery) == (None, "park")


@pytest.mark.parametrize(
    ("fault", "recovery"), [("refused_row", "park"), ("locked_row", "retry"), ("deleted_meanwhile", "gone")]
)
def test_one_row_in_trouble_leaves_the_rest_standing(
    ready: HubSpot, emulator: HubSpotEmulator, fault: str, recovery: str
) -> None:
    emulator.faults.arm({"name": fault})

    found = verdicts(ready, DEALS, [Write(one, {"scoreback_score": Decimal(5)}) for one in ("501", "502", "503")])

    assert sorted(rejected.recovery for rejected in found.values() if rejected) == [recovery]
    assert len(found) == 3


def test_a_rule_of_the_customer_parks_the_record_in_the_version_that_enforces_it(
    opened: Open, ready: HubSpot, emulator: HubSpotEmulator
) -> None:
    emulator.portal.rules.append(RequiredRule("deals", {"dealstage": "9002"}, ("closed_won_reason",)))
    given = [Write("501", {"scoreback_score": Decimal(5)}), Write("502", {"scoreback_score": Decimal(5)})]

    today = verdicts(ready, DEALS, given)
    enforced = verdicts(opened(api_version="2026-09"), DEALS, given)

    assert today == {"501": None, "502": None}
    assert (enforced["501"].recovery, enforced["502"]) == ("park", None)


def test_writing_to_an_object_that_is_not_there_says_what_to_do(hubspot: HubSpot) -> None:
    with pytest.raises(ConfigError, match="scoreback provision"):
        verdicts(hubspot, KEYED, [Write("701:2026-Q4", {"scoreback_score": Decimal(1)})])


# -- provisioning and check -------------------------------------------------------------------------------------------


def test_provisioning_twice_creates_once(hubspot: HubSpot) -> None:
    wanted = [spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)]

    states = [
        Counter(one.state for one in hubspot.provision(wanted, dry_run=dry_run)) for dry_run in (True, False, False)
    ]

    assert states == [Counter(missing=13), Counter(created=13), Counter(exists=13)]


@pytest.mark.parametrize(
    "made",
    ["/crm/properties/2026-03/deals/groups", "/crm/properties/2026-03/deals/batch/create", "/crm-object-schemas"],
)
def test_what_was_made_although_its_answer_was_lost_is_found_by_the_next_provisioning(
    hubspot: HubSpot, emulator: HubSpotEmulator, made: str
) -> None:
    wanted = [spec for target in (DEALS, KEYED) for spec in specs(target)]
    emulator.faults.arm({"name": "cut", "match": f"POST {made}"})

    with pytest.raises(RetryLaterError):
        list(hubspot.provision(wanted, dry_run=False))
    again = Counter(one.state for one in hubspot.provision(wanted, dry_run=False))

    assert set(again) <= {"created", "exists"}
    assert sum(again.values()) == len(wanted) + 1


def test_a_property_of_another_type_is_reported_and_left_alone(ready: HubSpot) -> None:
    (found,) = ready.provision([FieldSpec(DEALS, "scoreback_score", "Score", "text")], dry_run=False)

    assert (found.state, "number" in found.text) == ("failed", True)


def test_our_properties_can_be_taken_away_again(ready: HubSpot) -> None:
    gone_now = list(ready.unprovision(specs(DEALS), dry_run=False))

    assert {one.state for one in gone_now} == {"removed"}
    assert not [name for name in ready.definitions("deals") if name.startswith("scoreback")]


def test_where_provisioning_is_forbidden_the_admin_gets_the_steps(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "no_permission", "match": "properties"})

    found = list(hubspot.provision(specs(DEALS), dry_run=False))

    assert {one.state for one in found} == {"by_hand"}
    assert "Settings > Properties" in found[0].text


def test_a_healthy_account_has_no_error(opened: Open, ready: HubSpot) -> None:
    hubspot = opened(
        write_back={"opportunity": {"scoreback_score": "score"}, "person": {"scoreback_score": "appraisal"}}
    )

    found = list(hubspot.check())

    assert [one for one in found if one.level in ("error", "warning")] == []
    assert {"sign_in", "clock", "write_back.opportunity", "write_back.person"} <= {one.where for one in found}


def test_check_names_a_property_that_is_not_there_and_the_nearest_one(opened: Open) -> None:
    hubspot = opened(
        fields={"opportunity": {"next_step": "hs_nxt_step"}}, write_back={"opportunity": {"scoreback_x": "score"}}
    )

    found = {one.where: one for one in hubspot.check() if one.level == "error"}

    assert "hs_next_step" in found["opportunity.hs_nxt_step"].advice
    assert "provision" in found["write_back.opportunity"].advice


def test_an_archived_property_of_our_name_is_for_the_admin_to_restore(ready: HubSpot) -> None:
    list(ready.unprovision(specs(DEALS), dry_run=False))

    states = {one.state for one in ready.provision(specs(DEALS), dry_run=False)}

    assert states == {"by_hand"}


def test_taking_away_leaves_the_object_to_the_admin_and_dry_runs_change_nothing(ready: HubSpot) -> None:
    dry = [one.state for one in ready.unprovision(specs(KEYED), dry_run=True)]
    real = [one.state for one in ready.unprovision(specs(KEYED), dry_run=False)]
    again = [one.state for one in ready.unprovision(specs(KEYED), dry_run=False)]

    assert (dry[:4], real[:4], again[:4]) == (["exists"] * 4, ["removed"] * 4, ["missing"] * 4)
    assert (dry[4], real[4]) == ("by_hand", "by_hand")


def test_the_scopes_of_our_page_are_enough_for_everything(opened: Open, emulator: HubSpotEmulator) -> None:
    page = (Path(__file__).parents[2] / "docs/connectors/hubspot.md").read_text(encoding="utf-8")
    table = page.split("| Scope | For |")[1].split("\n\n")[0]
    emulator.scopes = frozenset(re.findall(r"`((?:crm|settings)\.[a-z_.]+)`", table))
    hubspot = opened(fields={"person": {"region": "region"}})
    list(hubspot.provision([spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)], dry_run=False))

    found = list(hubspot.check())
    for name, stream in ((name, STREAMS[name]) for name in sorted(ALL)):
        pulled(hubspot, name, window(streams=ALL))
        pulled(hubspot, name, window("2020-01-01T00:00:00+00:00", streams=ALL))
        list(hubspot.deletions(stream, None, hubspot.now()))
    verdict = {
        one: rejected
        for target, remote_id in ((DEALS, "501"), (PEOPLE, "701"), (KEYED, "701:2026-Q4"))
        for one, rejected in verdicts(hubspot, target, [Write(remote_id, VALUES)]).items()
    }

    assert [one for one in found if one.level in ("error", "warning")] == []
    assert set(verdict.values()) == {None}


def test_what_an_account_does_not_offer_is_no_error(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.switched_off = frozenset({"goal_targets", "currencies"})

    assert [pulled(hubspot, stream) for stream in ("target", "rate")] == [{}, {}]

    assert {one.where: one.level for one in hubspot.check() if one.text.startswith("off")} == {
        "target": "info",
        "rate": "info",
    }


def test_a_question_that_hubspot_does_not_take_stops_the_stream_or_switches_an_optional_one_off(
    hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise RejectedError("VALIDATION_ERROR", "Unable to infer object type", 400)

    monkeypatch.setattr(hubspot.api, "page", refuse)

    assert pulled(hubspot, "target") == {}
    with pytest.raises(ContractError):
        pulled(hubspot, "account")


def test_check_says_where_scores_of_people_can_go_if_not_where_they_should(opened: Open) -> None:
    keyed = {"into": "scoreback_appraisal", "key": "scoreback_key", "fields": {"scoreback_score": "appraisal"}}

    found = {one.where: one for one in opened(write_back={"person": keyed}).check()}

    assert found["write_back.person"].level == "error"
    assert {"provision", "into", "report"} <= set(re.findall(r"[a-z]+", found["write_back.person"].advice))


def test_an_app_that_is_not_told_its_allowance_is_no_problem(opened: Open, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "no_permission", "match": "api-usage"})

    assert {one.where: one.level for one in opened().check()}["allowance"] == "info"


def test_check_says_that_a_sign_in_was_refused_and_no_more(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "revoked"})

    (found,) = hubspot.check()

    assert (found.level, found.where) == ("error", "sign_in")


def test_check_names_stages_that_contradict_themselves(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.portal.pipelines["deals"]["default"].stages["9001"].metadata = {"isClosed": "true", "probability": "0.5"}

    found = {one.where: one.text for one in hubspot.check()}

    assert "9001" in found["stages"]
    assert pulled(hubspot, "stage")["default:9001"].outcome is None


def test_a_clock_that_is_off_is_a_warning(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "clock_skew", "seconds": 600})

    assert [one.where for one in hubspot.check() if one.level == "warning"] == ["clock"]


def test_a_missing_scope_switches_off_one_stream(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "no_permission", "match": "calls"})

    with pytest.raises(ForbiddenError, match=r"crm\.objects\.contacts\.read"):
        pulled(hubspot, "call")

    assert pulled(hubspot, "meeting")
    assert [one.where for one in hubspot.check() if one.level == "warning"] == ["call"]


# -- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", ["too_many", "too_many_retry_after", "server_error", "bad_gateway", "cut", "truncated"]
)
def test_passing_trouble_is_not_noticed(hubspot: HubSpot, emulator: HubSpotEmulator, fault: str) -> None:
    emulator.faults.arm({"name": fault, "times": 2})

    assert len(deals(pulled(hubspot, "opportunity", window(streams=ALL)))) == 3


def test_lasting_trouble_asks_to_come_back_later(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "server_error", "times": 100})

    with pytest.raises(RetryLaterError):
        pulled(hubspot, "account")


def test_a_spent_day_stops_at_once(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "day_limit"})

    with pytest.raises(AllowanceError):
        pulled(hubspot, "account")

    assert sum(calls(emulator).values()) == 1


def test_a_refused_static_token_stops_without_a_second_try(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "revoked"})

    with pytest.raises(SignInError):
        pulled(hubspot, "account")

    assert sum(calls(emulator).values()) == 1


APP = {"client_id": "sandbox", "client_secret": "sandbox", "refresh_token": "sandbox"}


@pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])
def test_an_oauth_app_signs_in_and_outlives_its_access_token(
    opened: Open, emulator: HubSpotEmulator, version: str
) -> None:
    hubspot = opened(sign_in=APP, api_version=version)
    first = len(pulled(hubspot, "account"))
    emulator.tokens._refresh.discard("sandbox")  # only the token that came with the first answer still counts
    emulator.faults.arm({"name": "expired_token"})

    again = len(pulled(hubspot, "account"))

    assert (first, again) == (2, 2)
    assert sum(count for where, count in calls(emulator).items() if "oauth" in where) == 2


def test_a_revoked_app_stops(opened: Open, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "revoked"})

    with pytest.raises(SignInError):
        pulled(opened(sign_in=APP), "account")


@pytest.mark.parametrize(
    "sign_in",
    [{}, {"client_id": "sandbox"}, {"token": "sandbox", "client_id": "sandbox"}],
    ids=["none", "half", "both"],
)
def test_a_sign_in_is_a_token_or_a_whole_app(sign_in: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="client_secret and refresh_token"):
        HubSpotSettings.model_validate({"sign_in": sign_in}, context={"loopback": True})


def test_the_change_stream_has_no_call_of_its_own(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    assert list(hubspot.pull(STREAMS["change"], window(streams=ALL), None)) == []
    assert calls(emulator) == Counter()


def test_streams_are_read_under_their_own_names() -> None:
    assert [stream.name for stream in HubSpot.streams if isinstance(stream, Stream)] == [
        "stage", "person", "account", "opportunity", "change", "call", "meeting", "email", "task", "target", "rate",
        "split", "line_item", "survey", "invoice", "commerce_payment", "refund", "subscription", "forecast_submission",
        "payment", "contract", "forecast", "absence", "rating",
    ]  # fmt: skip
