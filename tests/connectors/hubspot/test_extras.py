"""What only some HubSpot accounts have: deal splits, line items, feedback, and objects that the admin names."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Raw
from connectors.errors import ForbiddenError
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import (
    ALL,
    BOTH,
    LONG_AGO,
    STREAMS,
    TOUCH,
    WORLD,
    Open,
    Portal,
    calls,
    pulled,
    records,
    window,
)

EXTRAS = {
    "splits": [
        {"id": "1201", "opportunity_id": "501", "person_id": "701", "percentage": "0.6", "kind": "revenue", "modified_at": TOUCH},
        {"id": "1202", "opportunity_id": "501", "person_id": "702", "percentage": "0.4", "kind": "revenue", "modified_at": TOUCH},
    ],
    "line_items": [
        {"id": "li1", "opportunity_id": "501", "product": "GTX", "quantity": "3", "amount": "1000", "modified_at": TOUCH},
    ],
    "surveys": [
        {"id": "su1", "person_id": "701", "account_id": "201", "scale": "csat5", "answer": "4", "answered_at": TOUCH, "modified_at": TOUCH},
    ],
}  # fmt: skip
OWN = {"payment": {"object": "tickets"}}
OWN_FIELDS = {
    "payment": {
        "opportunity_id": "@deal", "amount": "time_to_close", "paid_on": "closed_date", "kind": {"value": "payment"},
    }
}  # fmt: skip
LATER = "2026-03-02T08:00:00+00:00"


@pytest.fixture
def portal(make_portal: Callable[..., Portal]) -> Portal:
    return make_portal({**WORLD, **EXTRAS})


def splits(found: dict[str, Any]) -> dict[str, Any]:
    return {remote_id: record for remote_id, record in found.items() if record.kind_name == "split"}


def deals_of(hubspot: HubSpot, start: str | None = None, **more: Any) -> dict[str, Any]:
    return pulled(hubspot, "opportunity", window(start, streams=ALL, **more))


def test_a_deal_brings_its_splits(hubspot: HubSpot) -> None:
    found = splits(deals_of(hubspot))

    assert {key: (one.opportunity_id, one.person_id, one.percentage, one.kind) for key, one in found.items()} == {
        "501:0": ("501", "701", Decimal("0.6"), "revenue"),
        "501:1": ("501", "702", Decimal("0.4"), "revenue"),
    }


def test_only_deals_that_say_so_are_asked_for_splits(
    hubspot: HubSpot, emulator: HubSpotEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    read = hubspot.api.splits

    def noted(deals: Sequence[str]) -> Any:
        asked.append(list(deals))
        return read(deals)

    monkeypatch.setattr(hubspot.api, "splits", noted)

    deals_of(hubspot)
    emulator.portal.splits.clear()
    deals_of(hubspot)
    deals_of(hubspot, LATER)

    assert asked == [["501"]]


def test_a_share_that_is_taken_away_arrives_as_deleted(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    body = {"inputs": [{"id": 501, "splits": [{"ownerId": 701, "percentage": 1}]}]}
    hubspot.api.post("/crm/v3/objects/deals/splits/batch/upsert", body)

    found = splits(deals_of(hubspot, LATER))

    assert (found["501:0"].percentage, found["501:0"].deleted) == (Decimal(1), False)
    assert found["501:1"].deleted


def test_splits_of_a_deal_without_any_left_arrive_as_deleted(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.portal.splits[501] = []

    found = splits(deals_of(hubspot, LATER))

    assert {key: one.deleted for key, one in found.items() if key in ("501:0", "501:1")} == {
        "501:0": True,
        "501:1": True,
    }


def test_a_count_of_splits_may_be_spelled_with_a_fraction(
    hubspot: HubSpot, emulator: HubSpotEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = emulator.portal.store.tables["deals"].calculated
    monkeypatch.setitem(counted, "hs_num_associated_deal_splits", lambda deal: "2.0" if deal.id == 501 else "0.0")

    echoed = deals_of(hubspot, LONG_AGO, changed=lambda _rows: [])
    found = splits(deals_of(hubspot))

    assert [key for key, one in splits(echoed).items() if not one.deleted] == ["501:0", "501:1"]
    assert sorted(found) == ["501:0", "501:1"]


def test_an_account_without_splits_is_asked_once_until_the_metadata_is_due(
    opened: Open, emulator: HubSpotEmulator
) -> None:
    emulator.switched_off = frozenset({"splits"})
    hubspot = opened()
    assert splits(deals_of(hubspot)) == {}
    emulator.stats.clear()

    assert len(deals_of(hubspot)) > 3

    assert sum(calls(emulator).values()) == 1


def test_splits_are_left_alone_when_their_stream_is_off(opened: Open, emulator: HubSpotEmulator) -> None:
    hubspot = opened(streams={"split": "off"})

    found = pulled(hubspot, "opportunity", window(streams=ALL - {"split"}))

    assert splits(found) == {}
    assert not [where for where in calls(emulator) if "splits" in where]


@BOTH
def test_a_line_item_belongs_to_its_deal(hubspot: HubSpot, start: str | None) -> None:
    (item,) = pulled(hubspot, "line_item", window(start)).values()

    assert (item.opportunity_id, item.product, item.quantity, item.amount) == ("501", "GTX", Decimal(3), Decimal(1000))


def test_a_line_item_that_is_known_already_costs_no_further_call(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    told: list[Any] = []

    def known(rows: Any) -> list[Raw]:
        told.extend(records(hubspot, rows).values())
        return []

    assert pulled(hubspot, "line_item", window(LONG_AGO, changed=known)) == {}

    assert [(item.product, item.deleted) for item in told] == [("GTX", False)]
    assert sum(calls(emulator).values()) == 1


def test_a_line_item_of_a_quote_is_none_of_ours(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    loose = emulator.edit("line_items", None, {"product": "Quoted", "quantity": "1", "amount": "5"})

    found = pulled(hubspot, "line_item")
    listed = [one for part in hubspot.ids(STREAMS["line_item"]) or () for one in part]

    assert found[loose].deleted
    assert (loose in listed, len(listed)) == (False, 1)


@BOTH
def test_an_answer_says_who_was_rated_by_which_account(hubspot: HubSpot, start: str | None) -> None:
    (answer,) = pulled(hubspot, "survey", window(start)).values()

    assert (answer.person_id, answer.account_id, answer.scale, answer.answer, answer.answered_at) == (
        "701", "201", "csat5", Decimal(4), datetime(2026, 3, 2, 9, tzinfo=UTC),
    )  # fmt: skip


def test_an_answer_on_a_scale_without_a_word_of_ours_is_left_out(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    table = emulator.portal.store.tables["feedback_submissions"]
    next(iter(table.live.values())).props["hs_survey_type"] = "CES"

    found = pulled(hubspot, "survey")

    assert [one.deleted for one in found.values()] == [True]
    assert [one for part in hubspot.ids(STREAMS["survey"]) or () for one in part] == []


def test_an_absent_object_is_asked_for_once_until_the_metadata_is_due(opened: Open, emulator: HubSpotEmulator) -> None:
    emulator.switched_off = frozenset({"feedback_submissions"})
    hubspot = opened()
    assert pulled(hubspot, "survey") == {}
    emulator.stats.clear()

    assert pulled(hubspot, "survey") == {}
    assert calls(emulator) == {}

    hubspot.learnt["absent:survey"] = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    assert pulled(hubspot, "survey") == {}
    assert sum(calls(emulator).values()) == 1


def test_an_object_that_was_read_and_is_refused_now_stops_its_stream(
    hubspot: HubSpot, emulator: HubSpotEmulator
) -> None:
    emulator.switched_off = frozenset({"feedback_submissions"})

    with pytest.raises(ForbiddenError):
        pulled(hubspot, "survey", window(LATER))


@BOTH
def test_an_object_that_the_admin_names_is_read_with_what_is_mapped(
    opened: Open, emulator: HubSpotEmulator, start: str | None
) -> None:
    values = {"subject": "Paid", "time_to_close": "99.50", "closed_date": "2026-03-05T10:00:00Z"}
    ticket = emulator.edit("tickets", None, values)
    hubspot = opened(streams=OWN, fields=OWN_FIELDS)
    link = {"from": {"id": ticket}, "to": {"id": "501"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 28}]}  # fmt: skip
    hubspot.api.post("/crm/v4/associations/tickets/deals/batch/create", {"inputs": [link]})

    (payment,) = pulled(hubspot, "payment", window(start)).values()

    assert (payment.opportunity_id, payment.amount, payment.paid_on, payment.kind) == (
        "501", Decimal("99.5"), date(2026, 3, 5), "payment",
    )  # fmt: skip


def test_check_tells_of_splits_and_of_what_no_property_fills(opened: Open) -> None:
    some = {"payment": {"amount": "time_to_close"}}

    found = {one.where: one for one in opened(streams=OWN, fields=some).check() if one.where in ("split", "payment")}

    assert (found["split"].level, found["payment"].level) == ("ok", "error")
    assert "nothing fills kind" in found["payment"].text


def test_check_says_that_splits_are_off(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.switched_off = frozenset({"splits"})

    assert {one.level for one in hubspot.check() if one.where == "split"} == {"info"}
