"""The Maven set, appraised twice: by us, and here with nothing but csv, Decimal and statistics."""

import csv
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.csv_folder.settings import CsvSettings
from sync.config import Config, load_config
from sync.report import Report, report_metrics
from sync.report_scores import report_scores
from sync.store.engine import Store, open_store

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "docs" / "how-to" / "maven" / "config"
DATA = ROOT.parent / "shared" / "data" / "maven-crm-sales"
QUARTERS = ("2017-Q1", "2017-Q2", "2017-Q3", "2017-Q4")

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the data set is not at {DATA}: docs/how-to/maven says where"
)


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass
class Tally:
    """What happened to one subject in one quarter."""

    won: list[Decimal] = field(default_factory=list)
    lost: int = 0
    days: list[int] = field(default_factory=list)


def quarter_of(day: date) -> str:
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def tallies(group: Callable[[dict[str, str]], str]) -> dict[tuple[str, str], Tally]:
    """Tallies by quarter and group."""
    found: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for deal in rows("sales_pipeline.csv"):
        if deal["deal_stage"] not in ("Won", "Lost"):
            continue
        closed = date.fromisoformat(deal["close_date"])
        tally = found[quarter_of(closed), group(deal)]
        if deal["deal_stage"] == "Lost":
            tally.lost += 1
            continue
        tally.won.append(Decimal(deal["close_value"]))
        days = (closed - date.fromisoformat(deal["engage_date"])).days
        if days > 0:  # a deal that opens and closes on one day tells no cycle length (domain guide 1.2)
            tally.days.append(days)
    return found


def text(number: Decimal | None) -> str | None:
    if number is None:
        return None
    rounded = format(number.quantize(Decimal("0.000001"), ROUND_HALF_EVEN), "f")
    return rounded.rstrip("0").rstrip(".")


def expected(tally: Tally) -> dict[str, str | None]:
    decided = len(tally.won) + tally.lost
    exact = [Decimal(days) for days in tally.days]
    return {
        "bookings": text(sum(tally.won, Decimal(0))),
        "won_count": str(len(tally.won)),
        "lost_count": str(tally.lost),
        "win_rate": text(Decimal(len(tally.won)) / decided) if decided else None,
        "sales_cycle_mean": text(sum(exact, Decimal(0)) / len(exact)) if exact else None,
        "sales_cycle_median": text(Decimal(statistics.median(exact))) if exact else None,
    }


PullAll = Callable[[Config, Store], None]


@pytest.fixture(scope="module")
def maven(tmp_path_factory: pytest.TempPathFactory, pull_all: PullAll) -> Iterator[tuple[Config, Store]]:
    """The documented configuration, pulled into a store of the test's own."""
    config = load_config(CONFIG)
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('maven') / 'state.db'}") as store:
        pull_all(config, store)
        yield config, store


def by_subject(report: Report) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for row in report.rows:
        cells = dict(zip(report.columns, row, strict=True))
        found[cells["period"], cells["subject"]][cells["metric"]] = cells["value"]
    return found


AGENTS = {row["sales_agent"]: row for row in rows("sales_teams.csv")} if DATA.is_dir() else {}


@pytest.mark.parametrize(
    ("by", "group", "subjects"),
    [
        pytest.param("person", lambda deal: deal["sales_agent"], set(AGENTS), id="person"),
        pytest.param(
            "team",
            lambda deal: AGENTS[deal["sales_agent"]]["manager"],
            {row["manager"] for row in AGENTS.values()},
            id="team",
        ),
        pytest.param(
            "region",
            lambda deal: AGENTS[deal["sales_agent"]]["regional_office"],
            {row["regional_office"] for row in AGENTS.values()},
            id="region",
        ),
        pytest.param(
            "product",
            lambda deal: deal["product"],
            {"GTX Basic", "GTX Plus Basic", "GTX Plus Pro", "GTXPro", "GTK 500", "MG Advanced", "MG Special"},
            id="product",
        ),
    ],
)
def test_every_figure_of_every_quarter_equals_an_independent_calculation(
    maven: tuple[Config, Store], by: str, group: Callable[[dict[str, str]], str], subjects: set[str]
) -> None:
    config, store = maven
    counted = tallies(group)
    wanted = {(quarter, subject): expected(counted[quarter, subject]) for quarter in QUARTERS for subject in subjects}

    report = report_metrics(config, store, by=[by], periods=QUARTERS)

    shown = {key: {name: found[name] for name in expected(Tally())} for key, found in by_subject(report).items()}
    assert shown == wanted


def test_the_year_adds_up_to_the_published_totals(maven: tuple[Config, Store]) -> None:
    config, store = maven

    report = report_metrics(config, store, by=["organisation"], periods=["2017"])

    found = by_subject(report)["2017", "all"]
    assert (found["bookings"], found["won_count"], found["lost_count"]) == ("10005534", "4238", "2473")


def test_people_without_a_decided_deal_have_counts_of_zero_and_unknown_rates(maven: tuple[Config, Store]) -> None:
    config, store = maven
    idle = set(AGENTS) - {deal["sales_agent"] for deal in rows("sales_pipeline.csv")}

    report = report_metrics(config, store, by=["person"], periods=["2017"])

    found = {subject: values for (_, subject), values in by_subject(report).items() if subject in idle}
    assert len(found) == 5
    for values in found.values():
        assert (values["won_count"], values["lost_count"], values["bookings"]) == ("0", "0", "0")
        assert values["win_rate"] is values["sales_cycle_mean"] is values["sales_cycle_median"] is None
        assert values["average_deal_size"] is None


def test_a_second_pull_of_the_same_files_changes_nothing(maven: tuple[Config, Store], pull_all: PullAll) -> None:
    config, store = maven
    before = report_metrics(config, store, by=["person"], periods=["2017-Q3"])

    pull_all(config, store)

    assert report_metrics(config, store, by=["person"], periods=["2017-Q3"]) == before


def test_the_documented_plan_appraises_2017(maven: tuple[Config, Store]) -> None:
    config, store = maven

    report = report_scores(config, store, as_of=date(2017, 12, 31), periods=["2017-Q3", "2017-Q4"])

    people = [dict(zip(report.columns, row, strict=True)) for row in report.rows]
    rated = [row for row in people if row["score"] is not None]
    assert {row["period"] for row in rated} == {"2017-Q4", "2017-Q3"}
    assert {row["plan"] for row in rated} == {"maven"}
    bookings = tallies(lambda deal: deal["sales_agent"])
    for row in rated:
        won = sum(bookings[row["period"], row["subject"]].won)
        assert row["attainment"] == text(won / Decimal(80_000)), row["subject"]


def test_the_configuration_reads_the_files_where_they_are(maven: tuple[Config, Store]) -> None:
    config, _ = maven

    settings = config.connections["maven"]

    assert isinstance(settings, CsvSettings)
    assert settings.folder.resolve() == DATA.resolve()
    assert not settings.write_back
