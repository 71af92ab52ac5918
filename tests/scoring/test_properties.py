"""What holds for any company (domain guide, 13)."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scoring.facts import Organisation, prepare
from scoring.metric import compute
from scoring.metrics.results import bookings, family
from scoring.period import Period, parse_period
from scoring.settings import MetricSettings
from tests.scoring.conftest import STAGES, Book

AS_OF = date(2025, 3, 31)
ORGANISATION = Organisation("Europe/Berlin", "USD")
DAYS = st.dates(date(2024, 6, 1), date(2025, 6, 30))
AMOUNTS = st.none() | st.decimals(min_value=-1000, max_value=10**6, places=2)
SLOW = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
PEOPLE = ["lin", "kim", "bo"]


@st.composite
def companies(draw: st.DrawFn) -> Book:
    book = Book()
    for connection in ("crm", "hub"):
        book.stages(connection)
        for person in PEOPLE:
            book.person(
                person, connection=connection, email=f"{person}@x.com", team=draw(st.sampled_from(["N", "S", None]))
            )
    book.add("rate", currency="EUR", to="USD", rate="1.0853", on="2025-03-28")
    for number in range(draw(st.integers(0, 12))):
        _deal(draw, book, str(number))
    return book


def _deal(draw: st.DrawFn, book: Book, deal: str) -> None:
    connection = draw(st.sampled_from(["crm", "hub"]))
    day = draw(DAYS)
    book.deal(
        deal,
        draw(st.sampled_from([*STAGES])),
        draw(AMOUNTS),
        connection=connection,
        owner_id=draw(st.sampled_from(PEOPLE)),
        account_id=f"{connection}-{deal}",
        currency=draw(st.sampled_from(["USD", "EUR"])),
        external_id=draw(st.sampled_from([None, None, "X", "Y"])),
        created_at=day.isoformat(),
        close_on=draw(st.none() | st.just(day + timedelta(days=draw(st.integers(-3, 200))))),
    )
    for field, old, new in (
        ("owner_id", "kim", "bo"),
        ("close_on", "2025-01-01", "2025-02-01"),
        ("stage", "Open", "Won"),
    ):
        if draw(st.booleans()):
            book.change(deal, field, old, new, (day + timedelta(days=40)).isoformat(), connection=connection)
    if draw(st.booleans()):
        book.add("activity", connection=connection, kind="call", opportunity_id=deal, completed_at=day.isoformat())


def frames(tables: Mapping[str, pl.DataFrame], **options: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    facts = prepare(tables, ORGANISATION, AS_OF, MetricSettings(), **options)
    return facts.deals, compute(family(MetricSettings()), facts, [parse_period("2025-Q1")], ("person",))


@SLOW
@given(companies(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(book: Book, random: Any) -> None:
    shuffled = {
        kind: table[random.sample(range(table.height), table.height)]
        for kind, table in book.tables.items()
        if table.height
    }

    for told, again in zip(frames(book.tables), frames(shuffled), strict=True):
        assert_frame_equal(told, again)


@SLOW
@given(companies(), st.lists(st.dates(date(2024, 6, 2), date(2025, 12, 30)), max_size=4, unique=True))
def test_splitting_a_period_never_changes_a_sum(book: Book, cuts: list[date]) -> None:
    facts = prepare(book.tables, ORGANISATION, AS_OF, MetricSettings())
    edges = [date(2024, 6, 1), *sorted(cuts), date(2025, 12, 31)]
    parts = [Period(start, end, str(start)) for start, end in pairwise(edges)]
    count = {"won": family(MetricSettings())["won_count"], "bookings": bookings}

    whole = compute(count, facts, [Period(edges[0], edges[-1], "all")], ("organisation",))
    pieces = compute(count, facts, parts, ("organisation",))

    for metric in count:
        known = whole.filter(pl.col("metric") == metric)["value"].to_list()
        summed = pieces.filter(pl.col("metric") == metric)["value"].sum()
        assert known == [summed] or (known == [None] and summed == 0)


@SLOW
@given(companies(), st.data())
def test_a_part_prepared_alone_equals_its_rows_of_the_whole(book: Book, data: st.DataObject) -> None:
    tables = book.tables
    sources = prepare(tables, ORGANISATION, AS_OF, MetricSettings()).sources
    whole, _ = frames(tables)
    chosen = data.draw(st.sets(st.sampled_from(whole["deal"].to_list()))) if whole.height else set()
    mirrors = {key for deal, keys in whole.select("deal", "mirrors").iter_rows() if deal in chosen for key in keys}
    # One external id may stand for several deals of one CRM: its family comes along whole.
    kept = pl.concat_str("connection", pl.lit(":"), "remote_id").is_in(list(mirrors))
    family_ids = (
        tables["opportunity"].filter(kept)["external_id"].drop_nulls() if "opportunity" in tables else pl.Series([""])
    )
    part = {
        kind: table.filter(kept | pl.col("external_id").is_in(family_ids.implode())) if kind == "opportunity" else table
        for kind, table in tables.items()
    }

    alone = prepare(part, ORGANISATION, AS_OF, MetricSettings(), sources=sources).deals

    asked = pl.col("deal").is_in(list(chosen))
    assert_frame_equal(alone.filter(asked), whole.filter(asked))


@SLOW
@given(companies())
def test_decimal_in_decimal_out(book: Book) -> None:
    deals, rows = frames(book.tables)

    assert not [name for name, kind in (deals.schema | rows.schema).items() if kind.is_float()]
    assert all(isinstance(value, Decimal) for value in rows["value"].drop_nulls())


@SLOW
@given(companies())
def test_people_sum_to_the_organisation(book: Book) -> None:
    facts = prepare(book.tables, ORGANISATION, AS_OF, MetricSettings())
    periods = [parse_period("2025")]

    by_person = compute({"bookings": bookings}, facts, periods, ("person",))["value"].sum()
    of_all = compute({"bookings": bookings}, facts, periods, ("organisation",))["value"].sum()

    assert by_person == of_all
