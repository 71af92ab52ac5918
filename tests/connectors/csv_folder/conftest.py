"""The test's own folder as a connection."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Window
from connectors.csv_folder import CsvFolder
from connectors.csv_folder.settings import CsvSettings
from connectors.mapping import Mapper
from connectors.records import Opportunity, Record
from connectors.registry import open_connector

KEY = b"a store's own key"
EVERYTHING = Window(None, datetime(2100, 1, 1, tzinfo=UTC))
Connect = Callable[..., CsvFolder]


@pytest.fixture
def connect(tmp_path: Path) -> Connect:
    """Opens the test's folder: ``connect(files=..., fields=...)``."""

    def make(**settings: Any) -> CsvFolder:
        model = CsvSettings.model_validate({"kind": "csv", "folder": "."} | settings, context={"folder": tmp_path})
        connector = open_connector(model.named("exports"))
        assert isinstance(connector, CsvFolder)
        return connector

    return make


def records(connector: CsvFolder, kind: str, window: Window = EVERYTHING) -> list[Record]:
    """The records of a kind."""
    stream = next(stream for stream in connector.streams if stream.name == kind)
    mapper = Mapper(stream, connector.connection, key=KEY)
    return [mapper(raw.fields) for page in connector.pull(stream, window, None) for raw in page.rows]


def deals(connector: CsvFolder) -> list[Any]:
    """The opportunities."""
    return records(connector, "opportunity")


def deal(**fields: Any) -> Opportunity:
    """An opportunity of these fields."""
    return Opportunity.model_validate({"remote_id": "1"} | fields)


def stream_of(kind: str) -> Any:
    """The stream of a kind."""
    return next(stream for stream in CsvFolder.streams if stream.name == kind)
