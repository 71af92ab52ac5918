"""What only some organisations have: splits, line items, and objects of their own for what Salesforce has none."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import ForbiddenError
from connectors.sandbox.salesforce.schema import ObjectType, audited, read_field

MakeOrg = Callable[..., Any]

SPLITS = [
    {"id": "sp1", "opportunity_id": "100", "person_id": "1", "percentage": "0.6", "kind": "revenue"},
    {"id": "sp2", "opportunity_id": "100", "person_id": "2", "percentage": "0.4", "kind": "revenue"},
    {"id": "sp3", "opportunity_id": "100", "person_id": "2", "percentage": "1", "kind": "overlay"},
]
ITEMS = [{"id": "li1", "opportunity_id": "100", "product": "GTX Pro", "quantity": "3", "amount": "12000.30"}]
PAID = {"object": "Invoice__c"}
PAID_FIELDS = {
    "opportunity_id": "Deal__c",
    "amount": "Total__c",
    "paid_on": "Paid_At__c",
    "kind": {"value": "invoice"},
}


@pytest.fixture
def rich(make_org: MakeOrg, world: Any) -> Any:
    """An organisation with splits, line items and an object of its own for invoices."""
    org = make_org({**world, "splits": SPLITS, "line_items": ITEMS})
    own = ObjectType("Invoice__c", "a01", setup=False, writable=True, deletable=True)
    for field in audited("full"):
        own.add(field)
    for line in ("Deal__c reference>Opportunity", "Total__c currency(18,2)", "Paid_At__c datetime"):
        own.add(read_field(line))
    org.emulator.org.add_object(own)
    return org


def test_splits_say_who_shares_and_which_are_laid_over(rich: Any) -> None:
    found = rich.read(rich.connect(), "split")

    told = sorted((split.person_id, split.percentage, split.kind) for split in found.values())
    one, two = rich.id("people", "1"), rich.id("people", "2")
    assert told == sorted(
        [(one, Decimal("0.6"), "revenue"), (two, Decimal("0.4"), "revenue"), (two, Decimal(1), "overlay")]
    )
    assert {split.opportunity_id for split in found.values()} == {rich.id("opportunities", "100")}


def test_a_deleted_split_arrives_as_deleted(rich: Any) -> None:
    rich.emulator.remove("splits", "sp2")

    found = rich.read(rich.connect(), "split", start=rich.now - timedelta(hours=1), end=rich.now + timedelta(seconds=1))

    assert [split.deleted for split in found.values() if split.remote_id == rich.id("splits", "sp2")] == [True]


def test_splits_of_a_type_that_is_not_in_use_are_left_out(rich: Any) -> None:
    types = rich.emulator.org.tables["OpportunitySplitType"]
    overlay = next(row for row in types.rows.values() if row["DeveloperName"] == "Overlay")
    types.put(type(overlay)({**overlay, "IsActive": False}))

    found = rich.read(rich.connect(), "split")

    assert {split.kind for split in found.values()} == {"revenue"}


def test_a_line_item_names_its_product(rich: Any) -> None:
    (item,) = rich.read(rich.connect(), "line_item").values()

    assert (item.opportunity_id, item.product, item.quantity, item.amount) == (
        rich.id("opportunities", "100"), "GTX Pro", Decimal(3), Decimal("12000.3"),
    )  # fmt: skip


def test_an_absent_feature_is_asked_for_once_until_the_metadata_is_due(make_org: MakeOrg) -> None:
    org = make_org(off=["OpportunitySplit"])
    connector = org.connect()
    assert org.pages(connector, "split") == []

    assert org.calls(lambda: org.pages(connector, "split")) == {}

    successor = org.connect(metadata_every="1s")
    successor.learnt["absent:split"] = (org.now - timedelta(hours=1)).isoformat()
    assert sum(org.calls(lambda: org.pages(successor, "split")).values()) == 1


def test_an_object_that_was_read_and_is_hidden_now_stops_its_stream(rich: Any) -> None:
    rich.emulator.org.off.add("opportunitysplit")

    with pytest.raises(ForbiddenError, match="OpportunitySplit does not exist"):
        rich.pages(rich.connect(), "split", start=rich.now - timedelta(hours=1))


def test_an_object_of_ones_own_is_read_once_it_is_named(rich: Any) -> None:
    deal = rich.id("opportunities", "100")
    values = {"Deal__c": deal, "Total__c": 990.10, "Paid_At__c": "2026-02-03T23:30:00.000+0000"}
    rich.emulator.edit("Invoice__c", None, values)
    connector = rich.connect(streams={"payment": PAID}, fields={"payment": PAID_FIELDS})

    (payment,) = rich.read(connector, "payment", end=rich.now + timedelta(seconds=1)).values()

    assert (payment.opportunity_id, payment.amount, payment.paid_on, payment.kind) == (
        deal, Decimal("990.1"), date(2026, 2, 3), "invoice",
    )  # fmt: skip


def test_an_object_of_ones_own_that_is_not_there_is_an_error(rich: Any) -> None:
    connector = rich.connect(streams={"payment": {"object": "Gone__c"}}, fields={"payment": PAID_FIELDS})

    with pytest.raises(ForbiddenError, match="Gone__c does not exist"):
        rich.pages(connector, "payment")


def test_check_names_what_no_field_fills(rich: Any) -> None:
    some = {name: PAID_FIELDS[name] for name in ("opportunity_id", "amount")}
    connector = rich.connect(streams={"payment": PAID}, fields={"payment": some})

    found = [one for one in connector.check() if one.where == "stream payment"]

    assert next((one.level, "fills kind" in one.text) for one in found) == ("error", True)


def test_check_warns_of_two_types_that_share_out_the_whole_deal(rich: Any) -> None:
    types = rich.emulator.org.tables["OpportunitySplitType"]
    for row in list(types.rows.values()):
        types.put(type(row)({**row, "IsTotalValidated": True}))

    found = [one for one in rich.connect().check() if one.where == "stream split"]

    assert [one.level for one in found] == ["ok", "warning"]


@pytest.mark.parametrize(
    ("streams", "said"),
    [
        pytest.param({"payment": "on"}, "payment has no standard object here", id="on without an object"),
        pytest.param({"call": {"object": "Call__c"}}, "object cannot be chosen", id="a stream that has its own"),
    ],
)
def test_an_object_is_named_where_there_is_none_and_nowhere_else(org: Any, streams: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        org.settings(streams=streams)
