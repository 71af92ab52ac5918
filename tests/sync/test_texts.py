"""Words of tables and sentences: every one in both languages, with the same places to fill."""

import re
from string import Formatter

import pytest

from scoring.dimensions import DEAL_DIMENSIONS
from scoring.language import LANGUAGES, METRIC_NAMES
from scoring.metrics.results import family
from scoring.quality import CHECKS
from scoring.settings import MetricSettings
from sync.cli import status_tables
from sync.explain_text import NOTES as EXPLAIN_NOTES
from sync.explain_text import SENTENCES
from sync.report import METRIC_COLUMNS
from sync.report_scores import CHECK_COLUMNS, DEAL_COLUMNS, FAULT_COLUMNS, PERSON_COLUMNS, SCORE_COLUMNS
from sync.texts import COLUMNS, DIMENSIONS, FAULTS, NOTES, TITLES, WORDS, Texts, column_head

TABLES: dict[str, Texts] = {
    "columns": COLUMNS, "words": WORDS, "titles": TITLES, "notes": NOTES, "dimensions": DIMENSIONS,
    "sentences": SENTENCES, "explain notes": EXPLAIN_NOTES, "status": status_tables.STATUS,
}  # fmt: skip


def places(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_text_stands_in_both_languages(table: Texts) -> None:
    for key, texts in table.items():
        assert set(texts) == set(LANGUAGES), key
        assert places(texts["en"]) == places(texts["zh-CN"]), key
        bare = re.sub(r"\{\w+\}|[^\w]|scoreback|csv|format", "", texts["zh-CN"])
        assert not bare or re.search("[\u4e00-\u9fff]", bare), key


@pytest.mark.parametrize("columns", [SCORE_COLUMNS, DEAL_COLUMNS, FAULT_COLUMNS, PERSON_COLUMNS, CHECK_COLUMNS,
                                     METRIC_COLUMNS[:4], *status_tables.TABLES.values()])  # fmt: skip
def test_every_column_of_a_table_has_a_head(columns: tuple[str, ...]) -> None:
    assert set(columns) - {"by"} <= set(COLUMNS)


def test_metrics_checks_and_dimensions_have_chinese_names() -> None:
    assert set(METRIC_NAMES) >= set(family(MetricSettings()))
    assert set(FAULTS) == {check.id for check in CHECKS}
    assert set(DIMENSIONS) == set(DEAL_DIMENSIONS)
    assert column_head("win_rate", "zh-CN") == "赢单率"
