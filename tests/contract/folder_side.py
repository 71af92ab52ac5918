"""The csv kind's other side: a folder that people edit, in the shape of an emulator."""

import csv
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest


class _NoFaults:
    """A folder has no sign-in, no limits and no network: what is about them is not asked of it."""

    def arm(self, order: Mapping[str, Any]) -> NoReturn:
        pytest.skip(f"a folder knows no {order['name']}")

    def clear(self) -> None:
        """There is nothing to clear."""


class FolderSide:
    """Edits the rows of a world folder as a person with a spreadsheet would. Ids are the world's own."""

    def __init__(self, world: Path, **_: Any) -> None:
        self.world = world
        self.lock = threading.RLock()
        self.stats: Counter[str] = Counter()
        self.faults = _NoFaults()
        self.ids: dict[str, dict[str, str]] = {}

    @property
    def skew(self) -> timedelta:
        return timedelta()

    @skew.setter
    def skew(self, value: timedelta) -> NoReturn:
        pytest.skip("a folder has no clock of its own")

    def show(self, record: str, record_id: str) -> dict[str, Any] | None:
        return next((row for row in self._rows(record) if row["id"] == record_id), None)

    def edit(self, record: str, record_id: str | None, fields: Mapping[str, Any]) -> str:
        if "merged_into" in fields:
            raise ValueError("nobody merges rows of a file")
        rows = self._rows(record)
        stamp = {"modified_at": datetime.now(UTC).isoformat()}
        cells = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items()}
        if record_id is None:
            record_id = f"new{len(rows) + 1}"
            rows.append({**dict.fromkeys(rows[0], ""), **cells, **stamp, "id": record_id})
        else:
            rows = [{**row, **cells, **stamp} if row["id"] == record_id else row for row in rows]
        self._write(record, rows)
        return record_id

    def remove(self, record: str, record_id: str) -> None:
        self._write(record, [row for row in self._rows(record) if row["id"] != record_id])

    def hide(self, record: str, record_id: str) -> None:
        self.remove(record, record_id)  # a row that was cut out leaves no trace either

    def _rows(self, record: str) -> list[dict[str, str]]:
        with (self.world / f"{record}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _write(self, record: str, rows: list[dict[str, str]]) -> None:
        with (self.world / f"{record}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
