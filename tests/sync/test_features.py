"""Records that only some CRMs have, in a store: splits, line items and feedback come, change, go, and may be absent."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.contract.rig import ACCOUNTS, PEOPLE, STAGES, Rig, Row, deal, moment, rig, write_world

OLD = moment(timedelta(days=40))
SPLITS = (
    {
        "id": "1201",
        "opportunity_id": "d1",
        "person_id": "p1",
        "percentage": "0.7",
        "kind": "revenue",
        "modified_at": OLD,
    },
    {
        "id": "1202",
        "opportunity_id": "d1",
        "person_id": "p2",
        "percentage": "0.3",
        "kind": "revenue",
        "modified_at": OLD,
    },
)
ITEMS = (
    {"id": "1301", "opportunity_id": "d1", "product": "GTX", "quantity": "3", "amount": "1000", "modified_at": OLD},
    {"id": "1302", "opportunity_id": "d2", "product": "MG", "quantity": "2", "amount": "50.50", "modified_at": OLD},
)
SURVEYS = (
    {
        "id": "1401",
        "person_id": "p1",
        "account_id": "a1",
        "scale": "nps",
        "answer": "9",
        "answered_at": OLD,
        "modified_at": OLD,
    },
)
FEATURES = {"split", "line_item", "survey"}

Start = Callable[..., Rig]


@pytest.fixture(params=["salesforce", "hubspot"])
def start(request: pytest.FixtureRequest, tmp_path: Path, built_sqlite: Path) -> Iterator[Start]:
    """Starts a CRM with three deals; other tables by keyword, the emulator's own switches in ``switches`` by kind."""
    with ExitStack() as stack:

        def begin(switches: dict[str, dict[str, Any]] | None = None, **tables: Sequence[Row]) -> Rig:
            usual = {"people": PEOPLE, "accounts": ACCOUNTS, "stages": STAGES}
            deals = [deal(number) for number in (1, 2, 3)]
            world = write_world(tmp_path / "world", **{**usual, "opportunities": deals, **tables})
            options = (switches or {}).get(request.param, {})
            return stack.enter_context(rig(request.param, tmp_path, world, built_sqlite, **options))

        yield begin


def shares(rig: Rig) -> set[tuple[str, Decimal]]:
    people = {remote: name for name, remote in rig.ids("person").items()}
    return {
        (people[one.person_id], one.percentage) for one in rig.records("split").values() if not one.deleted
    }  # fmt: skip


def test_splits_and_line_items_are_stored_with_their_deal(start: Start) -> None:
    rig = start(splits=SPLITS, line_items=ITEMS)

    rig.pull_whole()

    items = rig.records("line_item").values()
    assert shares(rig) == {("p1", Decimal("0.7")), ("p2", Decimal("0.3"))}
    assert {(one.product, one.amount) for one in items} == {("GTX", Decimal(1000)), ("MG", Decimal("50.5"))}
    assert {one.opportunity_id for one in items} == {rig.remote("opportunity", name) for name in ("d1", "d2")}


def test_a_second_pull_and_a_sweep_change_nothing(start: Start) -> None:
    rig = start(splits=SPLITS, line_items=ITEMS, surveys=SURVEYS)
    rig.pull_whole()
    before = {kind: rig.versions(kind) for kind in FEATURES}

    rig.pull_whole()
    rig.sweep()

    assert {kind: rig.versions(kind) for kind in FEATURES} == before
    assert before["line_item"] == 2


def test_a_split_that_is_taken_away_is_gone_with_the_next_pull(start: Start) -> None:
    rig = start(splits=SPLITS)
    rig.pull_whole()
    with rig.emulator.lock:
        if rig.kind == "hubspot":
            rig.emulator.portal.splits[int(rig.remote("opportunity", "d1"))].pop()  # type: ignore[attr-defined]  # HubSpot's own
            rig.emulator.edit("opportunities", "d1", {"next_step": "Call"})
        else:
            rig.emulator.remove("splits", "1202")

    rig.pull_whole()

    assert shares(rig) == {("p1", Decimal("0.7"))}


@pytest.mark.parametrize("start", ["hubspot"], indirect=True)
@pytest.mark.parametrize("left", [("1", "0.5", "0.5"), ("1",), ()], ids=["one more", "one less", "none"])
def test_shares_are_read_anew_when_their_number_moves_though_the_deal_says_the_same(
    start: Start, left: tuple[str, ...]
) -> None:
    rig = start(splits=SPLITS)
    rig.pull_whole()
    held = rig.emulator.portal.splits  # type: ignore[attr-defined]  # HubSpot's own
    deal_id = int(rig.remote("opportunity", "d1"))
    with rig.emulator.lock:
        made = held[deal_id][0]
        held[deal_id] = [replace(made, id=made.id + place, percentage=share) for place, share in enumerate(left)]
        rig.emulator.edit("deals", str(deal_id), {"closed_won_reason": "a stamp, and nothing that is mapped"})

    rig.pull_whole()

    found = [one.percentage for one in rig.records("split").values() if not one.deleted]
    assert sorted(found) == sorted(Decimal(share) for share in left)


@pytest.mark.parametrize("start", ["hubspot"], indirect=True)
def test_a_stamp_alone_does_not_ask_for_shares_that_are_known(start: Start) -> None:
    rig = start(splits=SPLITS)
    rig.pull_whole()
    with rig.emulator.lock:
        rig.emulator.edit("deals", rig.remote("opportunity", "d1"), {"closed_won_reason": "an echo"})
        rig.emulator.stats.clear()

    rig.pull_whole()

    assert not [where for where in rig.emulator.stats if "splits" in where]


def test_a_removed_line_item_is_gone_with_the_next_sweep(start: Start) -> None:
    rig = start(line_items=ITEMS)
    rig.pull_whole()
    with rig.emulator.lock:
        rig.emulator.remove("line_items", "1302")

    rig.pull_whole(accept_emptiness=True, reconcile=True)

    assert {one.product for one in rig.records("line_item").values() if not one.deleted} == {"GTX"}


def test_absent_features_are_no_failure_and_cost_nothing_in_the_next_run(start: Start) -> None:
    off = {
        "salesforce": {"off": ["OpportunitySplit", "OpportunityLineItem", "ForecastingQuota"]},
        "hubspot": {
            "switched_off": frozenset(
                {
                    "splits",
                    "line_items",
                    "feedback_submissions",
                    "goal_targets",
                    "invoices",
                    "commerce_payments",
                    "subscriptions",
                    "forecasts",
                }
            )
        },
    }
    rig = start(off, splits=SPLITS, line_items=ITEMS)
    assert not rig.pull_whole().failed
    rig.pull_whole()
    rig.calls()

    rig.pull_whole()

    read = [
        one for one in rig.connector_class.streams if one.schedule == "cycle" and not one.filled_by and not one.optional
    ]
    own = rig.connector_class.settings.own_objects
    sign_in = 1
    assert rig.calls() <= len([one for one in read if one.name not in own]) + sign_in
