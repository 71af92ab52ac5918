"""Beside deals: money, contracts, answers, forecasts, rates and people's own records say the same as in the CRM."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.contract.conftest import Start
from tests.contract.rig import NOW, TODAY, Row, deal, moment
from tests.contract.test_records import row, streams_of

MONTH_START = TODAY.replace(day=1)
MONTH_END = (MONTH_START + timedelta(days=31)).replace(day=1) - timedelta(days=1)
PAID_ON = TODAY - timedelta(days=9)
ANSWERED = NOW - timedelta(days=4)
CHANGED = moment(timedelta(days=3))

WORLD: Mapping[str, tuple[str, Row]] = {
    "payment": ("payments", row(
        "payments", id="y1", opportunity_id="d1", amount="500.25", currency="EUR", paid_on=PAID_ON, kind="payment", modified_at=CHANGED,
    )),
    "contract": ("contracts", row(
        "contracts", id="k1", account_id="a1", recurring_amount="1200.50", currency="EUR", start_on=MONTH_START,
        end_on=date(TODAY.year + 1, 12, 31), modified_at=CHANGED,
    )),
    "survey": ("surveys", row(
        "surveys", id="q1", person_id="p1", account_id="a1", opportunity_id="d1", scale="csat5", answer="4",
        sent_at=moment(timedelta(days=6)), answered_at=moment(timedelta(days=4)), modified_at=CHANGED,
    )),
    "forecast": ("forecasts", row(
        "forecasts", id="f1", owner_id="p1", period_start=MONTH_START, period_end=MONTH_END, layer="rep", category="commit",
        amount="7000.50", currency="EUR", at=CHANGED,
    )),
    "rate": ("rates", row("rates", id="r1", currency="USD", to="EUR", rate="0.8", on=PAID_ON)),
    "absence": ("absences", row("absences", id="b1", person_id="p2", start_on=PAID_ON, end_on=TODAY, paid="true")),
    "rating": ("ratings", row(
        "ratings", id="g1", subject_id="p2", rater_id="p1", item="teamwork", rating="4", rated_at=moment(timedelta(days=4)),
    )),
}  # fmt: skip
"""One row of each kind, and the table of a world that it is in."""

KNOWN: Mapping[str, Mapping[str, Any]] = {
    "payment": {"amount": Decimal("500.25"), "paid_on": PAID_ON},
    "contract": {"recurring_amount": Decimal("1200.50"), "start_on": MONTH_START},
    "survey": {"scale": "csat5", "answer": Decimal(4)},
    "forecast": {"period_start": MONTH_START, "period_end": MONTH_END, "amount": Decimal("7000.50"), "layer": "rep"},
    "rate": {"to": "EUR", "rate": Decimal("0.8")},
    "absence": {"start_on": PAID_ON, "end_on": TODAY},
    "rating": {"rating": Decimal(4), "item": "teamwork"},
}
"""What a record of the kind is worth nothing without."""

LINKS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "payment": {"opportunity_id": ("opportunity", "d1")},
    "contract": {"account_id": ("account", "a1")},
    "survey": {"person_id": ("person", "p1"), "account_id": ("account", "a1"), "opportunity_id": ("opportunity", "d1")},
    "forecast": {"owner_id": ("person", "p1")},
    "rate": {},
    "absence": {"person_id": ("person", "p2")},
    "rating": {"subject_id": ("person", "p2"), "rater_id": ("person", "p1")},
}
"""To whom it belongs; where a CRM knows only one of these, the others are unknown."""


@pytest.mark.parametrize("record", WORLD)
def test_a_record_beside_deals_says_the_same_as_in_the_crm(start: Start, record: str) -> None:
    table, cells = WORLD[record]
    rig = start([deal(1)], company=True, **{table: [cells]})
    streams_of(rig, record)

    rig.pull_whole()

    every = [one for one in rig.records(record).values() if not one.deleted]
    found = [one for one in every if record != "rate" or one.currency != one.to]  # which some CRMs tell as 1
    assert [{name: getattr(one, name) for name in KNOWN[record]} for one in found] == [KNOWN[record]]
    links = {name: rig.remote(*whom) for name, whom in LINKS[record].items()}
    told = {name: getattr(found[0], name) for name in links}
    assert {name: one for name, one in told.items() if one is not None} == {
        name: links[name] for name in told if told[name] is not None
    }
    assert not links or set(told.values()) != {None}
