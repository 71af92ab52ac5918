"""From a CRM's row to our record."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import From, Stream
from connectors.errors import MappingError
from connectors.mapping import Mapper, check_fields, content_hash, keyed_hash, remote_fields
from connectors.records import RECORDS, Activity, Opportunity
from connectors.settings import ConnectionSettings

KEY = b"a store's own key"

DEALS = Stream(
    "opportunity",
    remote="Opportunity",
    fields={
        "remote_id": "Id",
        "modified_at": "SystemModstamp",
        "deleted": "IsDeleted",
        "name": "Name",
        "amount": "Amount",
        "close_on": "CloseDate",
        "created_at": "CreatedDate",
        "probability": From("Probability", lambda percent: percent / 100),
    },
)


def connection(**settings: Any) -> ConnectionSettings:
    return ConnectionSettings.model_validate({"kind": "test", "base_url": "https://crm.example.com"} | settings).named(
        "sales"
    )


def mapper(stream: Stream = DEALS, **settings: Any) -> Mapper:
    return Mapper(stream, connection(**settings), key=KEY)


def test_a_row_becomes_a_record_in_our_words() -> None:
    row = {
        "attributes": {"type": "Opportunity"},
        "Id": "006A",
        "SystemModstamp": "2026-11-23T07:59:12.000+0000",
        "IsDeleted": False,
        "Name": "Acme",
        "Amount": Decimal("12000.50"),
        "CloseDate": "2026-12-01",
        "CreatedDate": "2026-01-05T10:00:00.000+0100",
        "Probability": Decimal(60),
    }

    record = mapper()(row)

    assert record == Opportunity(
        remote_id="006A",
        modified_at=datetime(2026, 11, 23, 7, 59, 12, tzinfo=UTC),
        name="Acme",
        amount=Decimal("12000.5"),
        close_on=date(2026, 12, 1),
        created_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
        probability=Decimal("0.6"),
    )


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_not_known_rather_than_zero(nothing: str | None) -> None:
    record = mapper()({"Id": "006A", "Amount": nothing, "Probability": nothing})

    assert isinstance(record, Opportunity)
    assert (record.amount, record.probability, record.name) == (None, None, None)


def test_zero_and_false_are_known() -> None:
    record = mapper()({"Id": "006A", "Amount": 0, "IsDeleted": False})

    assert isinstance(record, Opportunity)
    assert (record.amount, record.deleted) == (Decimal(0), False)


def test_the_stream_goes_before_the_record_and_that_before_the_connector() -> None:
    call = Stream(
        "call",
        remote="Call",
        record="activity",
        fields={"remote_id": "id", "owner_id": "a"},
        constants={"kind": "call"},
    )
    row = {"id": "1", "a": "from connector", "b": "from record", "c": "from stream"}

    by_record = mapper(call, fields={"activity": {"owner_id": "b"}})(row)
    by_stream = mapper(call, fields={"activity": {"owner_id": "b"}, "call": {"owner_id": "c"}})(row)

    assert isinstance(by_record, Activity)
    assert isinstance(by_stream, Activity)
    assert (by_record.owner_id, by_stream.owner_id, by_stream.kind) == ("from record", "from stream", "call")


def test_a_turn_of_the_connector_turns_the_admins_choice_too() -> None:
    record = mapper(fields={"opportunity": {"probability": "My_Chance__c"}})({"Id": "1", "My_Chance__c": Decimal(25)})

    assert isinstance(record, Opportunity)
    assert record.probability == Decimal("0.25")


def test_constants_nested_paths_and_custom_fields() -> None:
    fields = {
        "currency": {"value": "USD"},
        "owner_id": "Owner.Id",
        "source": "Missing.Path",
        "extra": {"partner": "Partner__c", "seats": "Seats__c", "hot": "Hot__c", "unknown": "Nope__c"},
    }

    record = mapper(fields={"opportunity": fields})(
        {
            "Id": "1",
            "Owner": {"Id": "005"},
            "Partner__c": "P",
            "Seats__c": Decimal("10.0"),
            "Hot__c": True,
            "Missing": None,
        }
    )

    assert isinstance(record, Opportunity)
    assert (record.currency, record.owner_id, record.source) == ("USD", "005", None)
    assert record.extra == {"hot": "true", "partner": "P", "seats": "10"}


def test_a_column_whose_name_has_a_dot_is_found_by_its_name() -> None:
    record = mapper(fields={"opportunity": {"name": "Owner.Name"}})({"Id": "1", "Owner.Name": "Ann"})

    assert isinstance(record, Opportunity)
    assert record.name == "Ann"


def test_numbers_where_text_belongs_become_text() -> None:
    record = mapper(fields={"opportunity": {"external_id": "Number"}})({"Id": 17, "Number": Decimal("4.50")})

    assert isinstance(record, Opportunity)
    assert (record.remote_id, record.external_id) == ("17", "4.5")


def test_a_misfit_names_row_field_and_type_and_never_the_value() -> None:
    with pytest.raises(MappingError) as caught:
        mapper()({"Id": "006A", "Amount": "a lot of secret money", "CloseDate": "tomorrow"})

    message = str(caught.value)
    assert message.startswith("sales: opportunity 006A: amount (from Amount): ")
    assert "close_on (from CloseDate): " in message
    assert "got str" in message
    assert "secret" not in message
    assert "tomorrow" not in message
    assert caught.value.remote_id == "006A"


def test_a_turn_that_fails_is_a_misfit_of_its_field() -> None:
    with pytest.raises(MappingError, match=r"opportunity 006A: probability \(from Probability\): cannot be read"):
        mapper()({"Id": "006A", "Probability": "often"})


@pytest.mark.parametrize("odd", [Decimal("NaN"), Decimal("Infinity")])
def test_a_number_that_is_none_is_a_misfit(odd: Decimal) -> None:
    with pytest.raises(MappingError, match="finite number"):
        mapper()({"Id": "006A", "Amount": odd})


@pytest.mark.parametrize("odd", ["1E18", "-1000000000000000000.5", "1E+400"])
def test_a_number_that_no_sum_could_hold_is_a_misfit(odd: str) -> None:
    with pytest.raises(MappingError, match="at most 18 digits"):
        mapper()({"Id": "006A", "Amount": Decimal(odd)})


def test_a_number_is_never_written_out_until_the_memory_is_full() -> None:
    record = mapper()({"Id": "006A", "Amount": Decimal("0E-999999999"), "Name": Decimal("1E999999999999")})

    assert (record.amount, record.name) == (Decimal(0), "1E+999999999999")  # type: ignore[attr-defined] # an opportunity
    with pytest.raises(MappingError, match="closer to zero than 1E-400"):
        mapper()({"Id": "006A", "Amount": Decimal("1E-999999999")})


def test_a_time_without_a_zone_is_a_misfit() -> None:
    with pytest.raises(MappingError, match="must name its time zone"):
        mapper()({"Id": "006A", "CreatedDate": "2026-01-05T10:00:00"})


@pytest.mark.parametrize("kind", ["person", "account", "opportunity"])
def test_what_changes_needs_an_id_of_its_own(kind: str) -> None:
    stream = Stream(kind, remote="x", fields={"remote_id": "id", "name": "name"})

    with pytest.raises(MappingError, match="remote_id"):
        mapper(stream)({"id": "", "name": "Acme"})


def test_a_row_without_an_id_is_known_by_its_content() -> None:
    rates = Stream("rate", remote="x", fields={"currency": "c", "to": "t", "rate": "r", "on": "d"})
    row = {"c": "EUR", "t": "USD", "r": "1.10", "d": "2026-01-01"}

    first, respelled, other = (mapper(rates)(row | change) for change in ({}, {"r": "1.1000"}, {"r": "1.11"}))

    assert first.remote_id == respelled.remote_id != other.remote_id
    assert len(first.remote_id) == 32


def test_of_a_deleted_row_no_more_than_the_id_need_be_known() -> None:
    calls = Stream("call", remote="x", record="activity", fields={"remote_id": "id", "deleted": "gone", "kind": "kind"})

    record = mapper(calls)({"id": "7", "gone": True})

    assert (record.remote_id, record.deleted) == ("7", True)
    assert isinstance(record, Activity)
    assert record.kind is None


def test_contacts_participants_and_subjects_stay_outside() -> None:
    fields = {"remote_id": "id", "contact_ids": "who", "participant_ids": "with", "subject_hash": "subject"}
    meetings = Stream("meeting", remote="x", record="activity", fields=fields, constants={"kind": "meeting"})

    record = mapper(meetings)(
        {
            "id": "1",
            "who": ["003B", "003A", "003B"],
            "with": "Ann@Example.com; bob@example.com",
            "subject": "Price talk",
        }
    )

    assert isinstance(record, Activity)
    assert record.contact_ids == sorted([keyed_hash(KEY, "003A"), keyed_hash(KEY, "003B")])
    assert record.participant_ids == sorted([keyed_hash(KEY, "ann@example.com"), keyed_hash(KEY, "bob@example.com")])
    assert record.subject_hash == keyed_hash(KEY, "Price talk")


def test_keyed_hashes_differ_between_stores_and_by_the_case_of_ids_only() -> None:
    assert keyed_hash(KEY, "003a") != keyed_hash(KEY, "003A")
    assert keyed_hash(KEY, " Ann@example.com") == keyed_hash(KEY, "ann@EXAMPLE.com")
    assert keyed_hash(KEY, "003a") != keyed_hash(b"another store's key", "003a")


def test_a_key_that_protects_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Mapper(DEALS, connection(), key=b"")


@given(st.permutations(["Id", "Name", "Amount", "CloseDate", "Partner__c"]), st.integers(0, 6))
def test_equal_content_has_equal_hashes_however_it_is_spelled(order: list[str], zeros: int) -> None:
    plain = {"Id": "1", "Name": "Acme", "Amount": "1200.5", "CloseDate": "2026-12-01", "Partner__c": "P"}
    respelled = {name: plain[name] for name in order} | {
        "Amount": "1200.5" + "0" * zeros,
        "SystemModstamp": "2026-01-01T00:00:00Z",
    }
    extra = {"opportunity": {"extra": {"partner": "Partner__c"}}}

    assert content_hash(mapper(fields=extra)(plain)) == content_hash(mapper(fields=extra)(respelled))


@pytest.mark.parametrize(
    "change", [{"Amount": "1200.51"}, {"Name": None}, {"IsDeleted": True}, {"CloseDate": "2026-12-02"}]
)
def test_other_content_has_another_hash(change: dict[str, Any]) -> None:
    row = {"Id": "1", "Name": "Acme", "Amount": "1200.5", "CloseDate": "2026-12-01", "IsDeleted": False}

    assert content_hash(mapper()(row)) != content_hash(mapper()(row | change))


def test_a_hash_can_leave_fields_out() -> None:
    first, second = (mapper()({"Id": "1", "Name": name, "Amount": "5"}) for name in ("a", "b"))

    assert content_hash(first, without=["name"]) == content_hash(second, without=["name"])


def test_a_hash_is_the_same_for_ever() -> None:
    record = Opportunity(
        remote_id="1", name="Ä", amount=Decimal("1.50"), created_at=datetime(2026, 1, 5, 9, tzinfo=UTC)
    )

    assert content_hash(record) == "1603e45ce844dbc6a701f0488f3af60b"


def test_remote_fields_are_asked_for_once_each() -> None:
    fields = {"opportunity": {"currency": {"value": "USD"}, "type": "Name", "extra": {"partner": "Partner__c"}}}

    assert remote_fields(DEALS, connection(fields=fields), without={"created_at"}) == [
        "Id", "SystemModstamp", "IsDeleted", "Name", "Amount", "CloseDate", "Probability", "Partner__c",
    ]  # fmt: skip


def test_unknown_names_are_reported_with_the_nearest_one() -> None:
    fields = {
        "oportunity": {"name": "Name"},
        "opportunity": {"closes_on": "Closing_Date", "extra": "Partner__c", "name": "Name", "zzz": "x"},
    }

    problems = check_fields(connection(fields=fields), [DEALS])

    assert problems == [
        "fields.oportunity is not a stream of this connection. Did you mean opportunity?",
        "fields.opportunity.closes_on is not a field we know. Did you mean close_on?",
        "fields.opportunity.extra must be a map of names to remote fields.",
        "fields.opportunity.zzz is not a field we know.",
    ]


@pytest.mark.parametrize("kind", RECORDS)
def test_every_record_can_be_mapped_by_its_own_names(kind: str) -> None:
    values = {
        "remote_id": "1", "stage": "s", "record": "opportunity", "record_id": "1", "field": "stage", "kind": None,
        "period_start": "2026-01-01", "period_end": "2026-03-31", "start_on": "2026-01-01", "end_on": "2026-01-02",
        "on": "2026-01-01", "scale": "nps", "person_id": "1", "opportunity_id": "1", "account_id": "1", "owner_id": "1",
        "currency": "EUR", "to": "USD", "subject_id": "1", "rater_id": "2", "item": "x",
    } | {"activity": {"kind": "call"}, "payment": {"kind": "paid"}}.get(kind, {})  # fmt: skip
    if kind == "payment":
        values["kind"] = "payment"
    names = {name: name for name in RECORDS[kind].model_fields if name not in ("extra", "subject_hash")}

    record = mapper(Stream(kind, remote=kind, fields=names))(values)

    assert record.kind_name == kind
    assert record.remote_id == "1"


@pytest.mark.parametrize("value", [1_767_225_600, "1767225600", Decimal(20454), 1.5, True, "20260101", "soon"])
@pytest.mark.parametrize(("field", "path"), [("close_on", "CloseDate"), ("created_at", "CreatedDate")])
def test_a_plain_number_is_no_time(value: Any, field: str, path: str) -> None:
    with pytest.raises(MappingError, match=rf"{field} \(from {path}\)") as raised:
        mapper()({"Id": "006A", path: value})

    assert str(value) not in str(raised.value)


def test_the_separate_fields_of_a_row_are_read_alone() -> None:
    whole = Stream("opportunity", "deals", fields={"remote_id": "id", "account_id": "@company", "closed_at": "@turned"})

    found = mapper(whole).part({"id": 7, "@company": None}, {"account_id", "closed_at"})

    assert found == ("7", {"account_id": None})
