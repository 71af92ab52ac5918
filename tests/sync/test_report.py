"""Reports: rows as product.md section 3 writes them, and the forms they come in."""

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from connectors.errors import ConfigError
from sync.cli.formats import tables_of, write_report
from sync.config import Config
from sync.report import METRIC_COLUMNS, Report, report_metrics
from sync.report_scores import report_deals, report_quality, report_scores
from sync.run import Service
from sync.store.engine import Store
from tests.sync.conftest import OPPORTUNITIES, WORLD

Pulled = Callable[..., tuple[Config, Store]]

PLAN = """plan: ae
period: quarter
who: {role: AE}
targets: {bookings: {person: 2000}}
metrics: {gtx: {unit: money, over: deals_closed, numerator: "SUM(amount) FILTER (WHERE product = 'GTX' AND is_won)"}}
scorecard:
  components: [{id: results, metric: attainment, weight: 1}]
"""


def cells(report: Report, **where: str) -> dict[str, Any]:
    """The one row that fits."""
    rows = [dict(zip(report.columns, row, strict=True)) for row in report.rows]
    (row,) = [row for row in rows if all(row[name] == value for name, value in where.items())]
    return row


def test_a_metric_row_says_everything_about_one_figure(pulled: Pulled) -> None:
    config, store = pulled()

    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"])

    assert report.columns == METRIC_COLUMNS
    assert cells(report, subject="u1", metric="win_rate") == {
        "period": "2025-Q1", "by": "person", "subject": "u1", "name": "Ada Berg", "metric": "win_rate", "value": "0.5",
        "unit": "ratio", "numerator": "1", "denominator": "2", "n": 2, "status": "low_sample",
    }  # fmt: skip


def test_money_is_exact_and_plain(pulled: Pulled) -> None:
    config, store = pulled()

    report = report_metrics(config, store, by=["team"], periods=["2025-Q1"])

    assert cells(report, subject="North", metric="bookings")["value"] == "1000.3"


def test_everybody_has_a_row_and_the_unknown_is_none(pulled: Pulled) -> None:
    config, store = pulled()

    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"])

    idle = {row[4]: row[5] for row in report.rows if row[2] == "u3"}
    assert (idle["won_count"], idle["bookings"], idle["win_rate"], idle["sales_cycle_mean"]) == ("0", "0", None, None)


def test_several_dimensions_and_periods_are_all_answered(pulled: Pulled) -> None:
    config, store = pulled()

    report = report_metrics(
        config, store, by=["team", "product"], periods=["2025-01", "2025-02", "2025-02"], only=["won_count"]
    )

    assert [row[0] for row in report.rows].count("2025-02") == [row[0] for row in report.rows].count("2025-01")
    assert cells(report, period="2025-02", subject="North / GTX")["value"] == "1"


def test_a_plan_brings_its_targets_and_metrics(pulled: Pulled) -> None:
    config, store = pulled(ae=PLAN)

    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"])

    assert cells(report, subject="u1", metric="attainment")["value"] == "0.50005"
    assert cells(report, subject="u1", metric="gtx")["value"] == "1000.1"


def test_as_of_forgets_what_came_later(pulled: Pulled) -> None:
    config, store = pulled()

    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"], as_of=date(2025, 2, 15))

    assert cells(report, subject="u1", metric="bookings")["value"] == "1000.1"
    assert cells(report, subject="u1", metric="lost_count")["value"] == "0"
    assert cells(report, subject="u2", metric="bookings")["value"] == "0"


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        pytest.param({"by": ["regoin"]}, "Did you mean region?", id="dimension"),
        pytest.param({"periods": ["2025-Q9"]}, "2017-Q2", id="period"),
        pytest.param({"only": ["win_rat"]}, "Did you mean win_rate", id="metric"),
        pytest.param({"plan_name": "smb"}, "There are none", id="plan"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(
    pulled: Pulled, wrong: dict[str, Any], advice: str
) -> None:
    config, store = pulled()

    with pytest.raises(ConfigError, match=advice.replace("?", r"\?")):
        report_metrics(config, store, **{"by": ["person"], **wrong})


REPORT = Report(
    "odd", ("subject", "name", "value"), [("007", "=1+1", "-12.5"), ("d2", "NaN", None), ("d3", "Ö", "12345678901234567.25")],
    frozenset(("value",)),
)  # fmt: skip


def test_stages_go_by_their_labels_and_keep_their_ids(pulled: Pulled) -> None:
    stages = "id,stage,label,position,outcome\ns1,77,Talking,1,open\ns2,88,Talking,2,won\ns3,99,Gone,3,lost\n"
    deals = OPPORTUNITIES.replace(",won,", ",88,").replace(",lost,", ",99,").replace(",open,", ",77,")
    config, store = pulled({**WORLD, "stages.csv": stages, "opportunities.csv": deals})

    report = report_metrics(config, store, by=["stage"], periods=["2025-Q1"], only=["won_count"])

    assert {row[2]: row[3] for row in report.rows} == {"88": "Talking (88)", "99": "Gone"}


def test_a_check_without_its_source_counts_nothing_and_says_so(pulled: Pulled) -> None:
    config, store = pulled()

    report = report_quality(config, store, by="fault")

    skipped = cells(report, fault="closed_without_activity")
    assert (skipped["deals"], skipped["people"], skipped["skipped_for"]) == (None, None, "crm")
    assert cells(report, fault="past_due")["deals"] == 1


def test_csv_leaves_the_unknown_empty_and_disarms_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    write_report(REPORT, "csv", None)

    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        list(REPORT.columns),
        ["007", "'=1+1", "-12.5"],
        ["d2", "NaN", ""],
        ["d3", "Ö", "12345678901234567.25"],
    ]


def test_json_has_null_for_the_unknown_and_every_digit_of_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    write_report(REPORT, "json", None)

    found = json.loads(capsys.readouterr().out, parse_float=Decimal)
    assert found == [
        {"subject": "007", "name": "=1+1", "value": Decimal("-12.5")},
        {"subject": "d2", "name": "NaN", "value": None},
        {"subject": "d3", "name": "Ö", "value": Decimal("12345678901234567.25")},
    ]


def test_a_spreadsheet_gets_numbers_but_never_loses_a_digit(tmp_path: Path) -> None:
    write_report(REPORT, "xlsx", tmp_path / "odd.xlsx")

    sheet = load_workbook(tmp_path / "odd.xlsx").active
    assert sheet is not None
    assert [list(row) for row in sheet.iter_rows(values_only=True)] == [
        ["subject", "name", "value"], ["007", "=1+1", -12.5], ["d2", "NaN", None], ["d3", "Ö", "12345678901234567.25"],
    ]  # fmt: skip


def test_html_shows_names_as_text(tmp_path: Path) -> None:
    report = Report("<b>", ("name",), [("<script>",)])

    write_report(report, "html", tmp_path / "r.html")

    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert "<script>" not in page


def test_a_table_has_a_row_per_subject_and_fits_the_terminal(pulled: Pulled) -> None:
    config, store = pulled()
    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"])

    *tables, notes = tables_of(report, 80)

    assert [row[1] for row in tables[0].rows] == ["u1", "u2", "u3"]
    assert all(table.columns[:3] == ("period", "subject", "name") for table in tables)
    shown = {column.replace("\n", " "): row for table in tables for column, row in zip(table.columns, zip(*table.rows, strict=True), strict=True)}  # fmt: skip
    assert shown["win rate %"] == ("50.0*", "100.0*", None)
    assert shown["bookings EUR"] == ("1,000.10", "0.20", "0.00")
    assert shown["won count"] == ("1", "1", "0")
    assert "attainment" in notes.title
    widths = [sum(max(len(part) for cell in (name, *column) for part in str(cell).split("\n")) + 2
                  for name, column in zip(table.columns, zip(*table.rows, strict=True), strict=True)) for table in tables]  # fmt: skip
    assert max(widths) <= 82


@pytest.mark.parametrize(
    ("names", "leading"), [(("Ada", "Bo"), ("period", "name")), (("Ada", "Ada"), ("period", "subject", "name"))]
)
def test_long_ids_give_way_to_names_that_nobody_shares(names: tuple[str, str], leading: tuple[str, ...]) -> None:
    figures = ("bookings", "1", "EUR", "1", None, "1", "ok")
    rows = [("2025-Q1", "person", f"{name}-{place:040}", name, *figures) for place, name in enumerate(names)]

    [table] = tables_of(Report("metrics", METRIC_COLUMNS, rows), 80)

    assert table.columns[:-1] == leading


def scored(config: Config, store: Store) -> None:
    with Service(config, store) as service, service.run("score") as book:
        service.score(book.number)


def test_scores_list_everybody_best_first(pulled: Pulled) -> None:
    config, store = pulled(ae=PLAN.replace("who: {role: AE}", "who: {team: North}"))
    scored(config, store)

    report = report_scores(config, store)

    people = [(row[2], row[3], row[8]) for row in report.rows]
    assert {subject for subject, _, _ in people} == {"u1", "u2", "u3"}
    assert people[-1] == ("u3", "Cyd Dorn", "not_scored")


def test_a_past_day_is_appraised_by_the_plan_of_that_day_and_nothing_is_stored(pulled: Pulled) -> None:
    config, store = pulled(ae=PLAN.replace("who: {role: AE}", "effective: [2025-01-01, 2026-01-01]"))

    report = report_scores(config, store, as_of=date(2025, 3, 31), periods=["2025-Q1"])

    ada = cells(report, subject="u1")
    assert (ada["plan"], ada["period"], ada["attainment"], ada["as_of"]) == ("ae", "2025-Q1", "0.50005", "2025-03-31")
    assert {row[8] for row in report_scores(config, store).rows} == {"not_scored"}


def test_an_open_deal_is_listed_with_score_and_owner(pulled: Pulled) -> None:
    config, store = pulled()
    scored(config, store)

    report = report_deals(config, store)

    (row,) = report.rows
    found = dict(zip(report.columns, row, strict=True))
    assert (found["subject"], found["owner"], found["amount"], found["currency"]) == ("d4", "Ada Berg", "700", "EUR")
    assert found["grade"] in "ABCD"
    assert 0 <= Decimal(found["score"]) <= 100


def test_a_deal_that_closed_since_it_was_scored_is_not_listed(
    pulled: Pulled, pull_all: Callable[[Config, Store], None], tmp_path: Path
) -> None:
    config, store = pulled()
    scored(config, store)
    deals = tmp_path / "world" / "opportunities.csv"
    deals.write_text(deals.read_text(encoding="utf-8").replace("u1,open,700", "u1,won,700"), encoding="utf-8")

    pull_all(config, store)

    assert report_deals(config, store).rows == []


def test_faults_are_told_by_deal_by_person_and_by_check(pulled: Pulled) -> None:
    config, store = pulled()
    deals = report_quality(config, store, by="deal")

    people = report_quality(config, store, by="person")
    checks = report_quality(config, store, by="fault")

    assert "past_due" in {row[4] for row in deals.rows if row[0] == "d4"}
    assert [row[0] for row in people.rows] == ["u1", "u2", "u3"]
    assert cells(people, subject="u3")["quality"] is None
    counted = sum(row[1] or 0 for row in checks.rows)
    assert counted == len({(row[0], row[4]) for row in deals.rows})
    with pytest.raises(ConfigError, match="Did you mean person"):
        report_quality(config, store, by="persn")
