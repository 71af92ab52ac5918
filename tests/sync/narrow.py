"""First loads as a big company has them, at the size of a small one: tiny pages, and parts and jobs from a few rows on."""

from pathlib import Path
from types import ModuleType

from connectors.hubspot import reading, slices
from connectors.salesforce import bulk, ingest
from sync import pull_pages
from tests.sync import doomed

NARROW: tuple[tuple[ModuleType, str, object], ...] = (
    (reading, "LIST_LIMIT", 2),
    (reading, "HISTORY_LIMIT", 2),
    (slices, "PAGES_PER_PART", 4),
    (bulk, "FROM_ROWS", 20),
    (bulk, "RESULT_ROWS", 30),
    (bulk, "COMMIT_ROWS", 7),
    (bulk, "_WAITS", (0.0,) * 4),
    (ingest, "FROM_ROWS", 10),
    (ingest, "_WAITS", (0.0,) * 4),
    (pull_pages, "WAIT_SECONDS", -1.0),
    (pull_pages, "CUT_AFTER", 4),
)
"""Module, name and value of what is made small."""


def cycle(config: Path, place: str, number: int) -> None:
    """``doomed.cycle``, narrow."""
    for module, name, value in NARROW:
        setattr(module, name, value)
    doomed.cycle(config, place, number)
