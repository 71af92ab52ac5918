"""The engine: who gets a row, how groups share a deal, and what it refuses."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from scoring.aggregate import mean, quantile
from scoring.facts import Facts
from scoring.metric import Metric, MetricError, Unit, compute, measure
from scoring.metrics.results import bookings, family, median_deal_size, new_customers, won_count
from scoring.period import parse_period
from scoring.settings import MetricSettings
from tests.scoring.conftest import Book, values

D = Decimal
Q1 = parse_period("2025-Q1")
BOOKED = {"bookings": bookings, "won_count": won_count}


def won(book: Book, deal: str, amount: object, **fields: object) -> None:
    book.deal(deal, "Won", amount, **{"close_on": "2025-02-01"} | fields)


def booked(
    book: Book, *by: str, settings: MetricSettings | None = None, period: str = "2025-Q1"
) -> dict[str | None, object]:
    facts = book.facts(settings=settings or MetricSettings())
    rows = values({"bookings": bookings}, facts, period, by, settings)
    return {subject: row["value"] for (subject, _), row in rows.items()}


def test_a_row_has_the_published_columns(book: Book) -> None:
    book.person("lin", name="Lin Ek")
    won(book, "d", "12.50")

    frame = compute(BOOKED, book.facts(), [Q1])

    assert frame.columns == [
        "period", "by", "subject", "name", "metric", "value", "unit", "numerator", "denominator", "n", "status",
    ]  # fmt: skip
    assert frame.row(0) == (
        "2025-Q1",
        "person",
        "lin",
        "Lin Ek",
        "bookings",
        D("12.50"),
        "USD",
        D("12.50"),
        None,
        1,
        "ok",
    )
    assert measure(BOOKED, book.facts(), [Q1])["key"].to_list() == ["crm:lin", "crm:lin"]


def test_every_known_person_has_a_row_and_money_without_an_owner_too(book: Book) -> None:
    book.person("lin")
    book.person("idle")
    book.person("gone", deleted=True)
    won(book, "a", 5)
    won(book, "b", 7, owner_id=None)
    won(book, "c", 9, owner_id="stranger")

    assert booked(book, "person") == {"idle": 0, "lin": 5, "stranger": 9, None: 7}


def test_a_subject_that_two_crms_share_is_written_in_full(book: Book) -> None:
    book.person("1", name="A")
    book.person("1", connection="hub", name="B")
    book.person("2", name="C")

    assert set(booked(book, "person")) == {"person:crm:1", "person:hub:1", "2"}


def test_a_source_that_was_never_read_leaves_everything_unknown(book: Book) -> None:
    book.person("lin")

    row = values(BOOKED, book.facts())["lin", "bookings"]

    assert (row["value"], row["status"]) == (None, "no_data")


def test_the_organisation_has_one_row_even_without_deals(book: Book) -> None:
    book.deal("open")

    assert booked(book, "organisation") == {"all": 0}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("team", {"North": 5, "South": 0, None: 7}),
        ("region", {"EU": 5, None: 7}),
        ("account", {"a1": 5, "a2": 0, None: 7}),
        ("account.region", {"EMEA": 5, None: 7}),
        ("industry", {"steel": 5, None: 7}),
        ("type", {"new": 5, None: 7}),
        ("source", {"web": 5, None: 7}),
        ("pipeline", {"shop": 5, None: 7}),
        ("stage", {"Won": 12}),
        ("connection", {"crm": 12}),
        ("month", {"2025-01": 7, "2025-02": 5}),
        ("quarter", {"2025-Q1": 12}),
        ("extra.partner", {"Acme": 5, None: 7}),
        ("product", {"GTX": 5, None: 7}),
    ],
)
def test_it_serves_any_grouping(book: Book, by: str, expected: dict[str | None, int]) -> None:
    book.person("lin", team="North", region="EU")
    book.person("bo", team="South", region="EU")
    book.add("account", "a1", region="EMEA", industry="steel", name="One")
    book.add("account", "a2")
    won(
        book,
        "d",
        5,
        account_id="a1",
        type="new",
        source="web",
        pipeline="shop",
        product="GTX",
        extra={"partner": "Acme"},
    )
    won(book, "e", 7, owner_id=None, close_on="2025-01-01")
    won(book, "before", 7, owner_id=None, close_on="2024-12-31")
    won(book, "after", 7, owner_id=None, close_on="2025-04-01")

    assert booked(book, by) == expected


def test_several_dimensions_are_one_subject(book: Book) -> None:
    book.person("lin", name="Lin", region="EU")
    won(book, "d", 5, product="GTX")
    won(book, "e", 7, product=None)

    frame = measure({"bookings": bookings}, book.facts(), [Q1], ("person", "product"))

    assert frame.select("by", "subject", "name", "value", "key").rows() == [
        ("person,product", "lin / GTX", "Lin / GTX", D(5), "crm:lin / GTX"),
        ("person,product", "lin / ", "Lin / ", D(7), "crm:lin / "),
    ]


def test_products_are_those_of_the_line_items_where_there_are_any(book: Book) -> None:
    won(book, "d", 100, product="ignored")
    won(book, "plain", 7, product="GTX")
    for number, (product, amount) in enumerate((("GTX", 60), ("GTX", 10), ("MG", 30), ("free", None))):
        book.add("line_item", str(number), opportunity_id="d", product=product, amount=amount)

    rows = values(BOOKED, book.facts(), by=("product",))

    assert {key: row["value"] for key, row in rows.items()} == {
        ("GTX", "bookings"): 77, ("GTX", "won_count"): 2, ("MG", "bookings"): 30, ("MG", "won_count"): 1,
        ("free", "bookings"): None, ("free", "won_count"): 1,
    }  # fmt: skip


def test_credited_deals_are_shared_by_their_splits(book: Book) -> None:
    for person, team in (("lin", "North"), ("kim", "North"), ("bo", "South")):
        book.person(person, team=team)
    won(book, "d", "100.01")
    won(book, "whole", 7, owner_id="bo")
    for person, share in (("kim", "0.5"), ("bo", "0.3")):
        book.add("split", opportunity_id="d", person_id=person, percentage=share)
    book.add("split", opportunity_id="d", person_id="bo", percentage=1, kind="overlay")
    credited = MetricSettings.of({"attribution.owner": "credited"})

    by_team = values(BOOKED | {"size": median_deal_size}, book.facts(), by=("team",), settings=credited)

    assert booked(book, "person", settings=credited) == {"lin": D("20"), "kim": D("50.01"), "bo": D("37")}
    assert booked(book, "organisation", settings=credited) == {"all": D("107.01")}
    assert {key: row["value"] for key, row in by_team.items()} == {
        ("North", "bookings"): D("70.01"), ("North", "won_count"): 1, ("North", "size"): D("70.01"),
        ("South", "bookings"): D("37"), ("South", "won_count"): 2, ("South", "size"): D("18.5"),
    }  # fmt: skip


def test_credits_and_products_multiply(book: Book) -> None:
    won(book, "d", 100)
    book.add("split", opportunity_id="d", person_id="kim", percentage="0.25")
    book.add("line_item", "1", opportunity_id="d", product="GTX", amount=80)
    book.add("line_item", "2", opportunity_id="d", product="MG", amount=20)

    shares = booked(book, "person", "product", settings=MetricSettings.of({"attribution.owner": "credited"}))

    assert shares == {"kim / GTX": 20, "kim / MG": 5, "lin / GTX": 60, "lin / MG": 15}


def test_activities_are_grouped_by_the_people_who_did_them(book: Book) -> None:
    book.person("lin", team="North")
    for number in range(3):
        book.add("activity", str(number), kind="call", owner_id="lin", completed_at="2025-02-01")
    calls = Metric("Calls.", unit=Unit.COUNT, over=Facts.ACTIVITIES_COMPLETED, numerator=pl.len())

    rows = values({"calls": calls}, book.facts(), by=("team",))

    assert rows["North", "calls"]["value"] == 3
    with pytest.raises(MetricError, match="activities_completed cannot be grouped by industry"):
        values({"calls": calls}, book.facts(), by=("industry",))
    with pytest.raises(MetricError, match=r"extra\.x"):
        values({"calls": calls}, book.facts(), by=("extra.x",))


@pytest.mark.parametrize(("by", "advice"), [("regoin", "Did you mean region"), ("zzz", "Write one of person, team")])
def test_an_unknown_grouping_is_refused_with_advice(book: Book, by: str, advice: str) -> None:
    with pytest.raises(MetricError, match=advice):
        booked(book, by)


def test_a_quantile_lies_between_its_neighbours(book: Book) -> None:
    for number in range(4):
        won(book, str(number), number)
    sizes = pl.col("amount").filter("is_won")
    metrics = {
        "p90": Metric("P90.", unit=Unit.MONEY, over=Facts.DEALS_CLOSED, statistic=quantile(sizes, D("0.9"))),
        "top": Metric("Top.", unit=Unit.MONEY, over=Facts.DEALS_CLOSED, statistic=quantile(sizes, D(1))),
        "mean": Metric("Mean.", unit=Unit.MONEY, over=Facts.DEALS_CLOSED, statistic=mean(sizes)),
    }

    rows = values(metrics, book.facts(), by=("organisation",))

    assert {metric: row["value"] for (_, metric), row in rows.items()} == {"p90": D("2.7"), "top": 3, "mean": D("1.5")}


def test_floats_are_refused(book: Book) -> None:
    won(book, "d", 5)
    lossy = Metric("L.", unit=Unit.MONEY, over=Facts.DEALS_CLOSED, numerator=pl.col("amount").cast(pl.Float64).sum())

    with pytest.raises(TypeError, match="floats"):
        values({"lossy": lossy}, book.facts())


def test_a_difference_of_sums_is_unknown_if_one_of_them_is(book: Book) -> None:
    won(book, "d", 5, discount=None)
    difference = pl.col("amount").sum() - pl.col("discount").sum()
    net = Metric("Net.", unit=Unit.MONEY, over=Facts.DEALS_CLOSED, numerator=difference)

    assert values({"net": net}, book.facts(), by=("organisation",))["all", "net"]["value"] is None


def test_a_metric_has_exactly_one_shape() -> None:
    with pytest.raises(MetricError, match="exactly one"):
        Metric("None.", unit=Unit.COUNT, over=Facts.DEALS_OPEN)
    with pytest.raises(MetricError, match="over something"):
        Metric("Nowhere.", unit=Unit.COUNT, numerator=pl.len())
    with pytest.raises(MetricError, match="over something"):
        Metric("Both.", unit=Unit.COUNT, over=Facts.DEALS_OPEN, target="bookings")


def test_a_new_customer_is_counted_once_and_where_it_was_won(book: Book) -> None:
    book.add("account", "top")
    book.add("account", "sub", parent_id="top")
    won(book, "a", 5, account_id="sub", owner_id="lin")
    won(book, "b", 5, account_id="top", owner_id="kim", close_on="2025-02-02")

    rows = values({"new": new_customers}, book.facts())

    assert {subject: row["value"] for (subject, _), row in rows.items()} == {"lin": 1, "kim": 0}


def test_several_periods_come_one_after_the_other(book: Book) -> None:
    book.person("lin")
    won(book, "a", 5)
    won(book, "b", 7, close_on="2025-04-01")

    frame = compute({"bookings": bookings}, book.facts(), [parse_period("2025-Q2"), Q1])

    assert frame.select("period", "value").rows() == [("2025-Q2", D(7)), ("2025-Q1", D(5))]


def test_every_metric_says_what_it_is() -> None:
    for name, metric in family(MetricSettings()).items():
        first, _, rest = metric.text.partition("\n\n")
        assert first.endswith("."), name
        assert "omain guide" in rest, name


def test_every_metric_is_documented_in_its_own_words() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/metrics.md").read_text(encoding="utf-8")

    for name, metric in family(MetricSettings()).items():
        first_line = metric.text.splitlines()[0]
        assert f"### {name}\n{first_line} " in page, name
