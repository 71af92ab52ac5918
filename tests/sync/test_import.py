"""Imports: whole file or nothing, every finding with row and column, later files as new versions."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from connectors.errors import ConfigError
from sync.config import Config, load_config
from sync.imports import ImportProblemsError, import_file
from sync.report import report_metrics
from sync.store.engine import Store
from sync.store.state import runs
from sync.store.versions import count_current, ids_of

Pulled = Callable[..., tuple[Config, Store]]
TARGETS = "subject_id,period,amount,currency\n"


def attainment(config: Config, store: Store, subject: str) -> str | None:
    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"], only=["attainment"])
    found: dict[str, str | None] = {row[2]: row[5] for row in report.rows}
    return found[subject]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "brought.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", ["u1", "ADA@example.com", "crm:u1", "person:crm:u1", "Ada Berg"])
def test_a_target_may_name_its_person_in_any_way(pulled: Pulled, file: Callable[[str], Path], name: str) -> None:
    config, store = pulled()

    done = import_file(config, store, "targets", file(f"{TARGETS}{name},2025-Q1,2000,EUR\n"))

    assert (done.rows, done.counts.new) == (1, 1)
    assert attainment(config, store, "u1") == "0.50005"


def test_a_later_file_replaces_what_it_names_also_back_to_an_old_value(
    pulled: Pulled, file: Callable[[str], Path]
) -> None:
    config, store = pulled()

    for amount in ("2000", "4000", "2000"):
        import_file(config, store, "targets", file(f"{TARGETS}u1,2025-Q1,{amount},EUR\n"))

    assert attainment(config, store, "u1") == "0.50005"
    with store.reading() as tx:
        assert len(ids_of(tx, "import", "target")) == 1


def test_the_same_file_twice_changes_nothing(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()
    text = f"{TARGETS}u1,2025-Q1,2000,EUR\nu2,2025-Q1,10,EUR\n"
    import_file(config, store, "targets", file(text))

    again = import_file(config, store, "targets", file(text))

    assert (again.counts.new, again.counts.changed, again.counts.same) == (0, 0, 2)


def test_all_findings_come_at_once_and_nothing_is_stored(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()
    rows = ["u1,2025-Q1,2000,EUR", "u1,2025-Q9,2000,EUR", "u2,2025-Q1,much,EUR", "ben@example.org,2025-Q1,1,EUR",
            "u2,2025-Q1,,EUR", "u1,2025-Q1,3000,EUR", "u3,,5,EUR"]  # fmt: skip

    with pytest.raises(ImportProblemsError) as raised:
        import_file(config, store, "targets", file(TARGETS + "\n".join(rows) + "\n"))

    places = [problem.split(":")[0].removeprefix("brought.csv row ") for problem in raised.value.problems]
    assert places == [
        "3, column period", "4, column amount", "5, column subject_id", "6, column amount", "7", "8, column period",
    ]  # fmt: skip
    text = str(raised.value)
    for said in ("row 4, column amount: must be a number", "Did you mean ben@example.com?", "row 6, column amount: is empty",
                 "says the same thing twice, as does brought.csv row 2", "Nothing of it was stored"):  # fmt: skip
        assert said in text
    with store.reading() as tx:
        assert not ids_of(tx, "import", "target")
        assert [run.command for run in runs(tx)] == ["pull"]


def test_a_misspelled_column_is_refused_with_the_nearest(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()

    with pytest.raises(ImportProblemsError, match="row 1, column amounts: is not a column we know"):
        import_file(config, store, "targets", file("subject_id,period,amounts\nu1,2025-Q1,1\n"))


def test_a_spreadsheet_is_read_like_a_csv(pulled: Pulled, tmp_path: Path) -> None:
    config, store = pulled()
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["subject_id", "period_start", "period_end", "amount", "currency"])
    sheet.append(["u1", date(2025, 1, 1), date(2025, 3, 31), 2000.2, "EUR"])
    book.save(tmp_path / "targets.xlsx")

    import_file(config, store, "targets", tmp_path / "targets.xlsx")

    assert attainment(config, store, "u1") == "0.5"


def test_a_rate_brought_by_file_converts_amounts(pulled: Pulled, file: Callable[[str], Path]) -> None:
    world = {
        "people.csv": "id,name\nu1,Ada\n",
        "stages.csv": "id,stage,outcome\ns1,won,won\n",
        "opportunities.csv": "id,owner_id,stage,amount,currency,close_on,closed_at,created_at\n"
        "d1,u1,won,100,USD,2025-02-03,2025-02-03T10:00:00Z,2025-01-03T10:00:00Z\n",
    }
    config, store = pulled(world)

    import_file(config, store, "rates", file("currency,to,rate,on\nUSD,EUR,0.9,2025-02-01\n"))

    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"], only=["bookings"])
    assert [row[5] for row in report.rows] == ["90"]


def test_people_brought_by_file_fill_in_and_stay_the_persons_of_the_crm(
    pulled: Pulled, file: Callable[[str], Path]
) -> None:
    config, store = pulled()

    import_file(config, store, "people", file("email,team\nada@example.com,East\nnew@example.com,East\n"))

    report = report_metrics(config, store, by=["person"], periods=["2025-Q1"], only=["won_count"])
    assert [row[2] for row in report.rows] == ["u1", "u2", "u3", "new@example.com"]
    teams = report_metrics(config, store, by=["team"], periods=["2025-Q1"], only=["won_count"])
    assert {row[2]: row[5] for row in teams.rows}["East"] == "1"


def test_payments_need_an_id_where_two_are_alike(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()
    head, row = "opportunity_id,amount,currency,paid_on,kind", "d1,10,EUR,2025-03-01,payment"

    with pytest.raises(ImportProblemsError, match="give each an id"):
        import_file(config, store, "payments", file(f"{head}\n{row}\n{row}\n"))
    done = import_file(config, store, "payments", file(f"id,{head}\n1,{row}\n2,{row}\n"))

    assert done.counts.new == 2


def test_surveys_and_ratings_are_stored(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()

    import_file(config, store, "surveys", file("person_id,scale,answer,answered_at\nu1,nps,9,2025-03-01\n"))
    import_file(config, store, "ratings", file("subject_id,rater_id,item,rating,note\nu1,u2,help,4,kind\n"))

    with store.reading() as tx:
        assert len(ids_of(tx, "import", "survey")) == len(ids_of(tx, "import", "rating")) == 1
        assert count_current(tx, "import", "rating", datetime.min.replace(tzinfo=UTC), datetime.now(UTC)) == 0


def test_decimal_commas_are_read_when_told(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()
    text = "subject_id;period;amount;currency\nu1;2025-Q1;2.000,20;EUR\n"

    import_file(config, store, "targets", file(text), decimal=",")

    assert attainment(config, store, "u1") == "0.5"


def test_before_people_are_read_a_name_is_kept_with_a_warning(
    write_config: Callable[..., Path], store: Store, file: Callable[[str], Path]
) -> None:
    config = load_config(write_config())

    done = import_file(config, store, "targets", file(f"{TARGETS}u1,2025-Q1,2000,EUR\n"))

    assert done.counts.new == 1
    assert done.warnings == [
        "brought.csv row 2, column subject_id: u1 is nobody we know yet: no people were read so far"
    ]


def test_an_unknown_kind_is_wrong_use(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()

    with pytest.raises(ConfigError, match="Did you mean targets"):
        import_file(config, store, "target", file(TARGETS))


def test_rows_are_looked_at_although_the_header_is_wrong(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()

    with pytest.raises(ImportProblemsError) as raised:
        import_file(config, store, "targets", file("subject,period,amount,currency\nu1,2025-Q9,much,EUR\n"))

    assert [problem.partition(": ")[0] for problem in raised.value.problems] == [
        "brought.csv row 1, column subject",
        "brought.csv row 1",
        "brought.csv row 2, column period",
        "brought.csv row 2, column amount",
    ]


def test_a_file_of_another_kind_is_not_read_to_its_end(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()

    with pytest.raises(ImportProblemsError) as raised:
        import_file(config, store, "targets", file(TARGETS + "u1,2025-Q9,much,EUR\n" * 5_000))

    assert 1_000 <= len(raised.value.problems) < 1_010
    assert raised.value.problems[-1] == "brought.csv: what comes behind was not looked at"


def test_an_open_quote_is_told_beside_the_other_findings(pulled: Pulled, file: Callable[[str], Path]) -> None:
    config, store = pulled()

    with pytest.raises(ImportProblemsError) as raised:
        import_file(
            config, store, "targets", file(f'{TARGETS}u1,2025-Q1,much,EUR\nu2,2025-Q1,1,"EUR\nu3,2025-Q1,1,EUR\n')
        )

    assert len(raised.value.problems) == 2
    assert "line 3: a quote" in raised.value.problems[1]
