"""``scores.csv``: what we pushed, one line per record; merged, never appended, replaced in one step."""

import csv
import os
import re
import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from connectors.base import Value, Write, WriteTarget
from connectors.csv_cells import csv_line, sealed, unsealed
from connectors.errors import ContractError, RetryLaterError
from connectors.types import canonical_text

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
Key = tuple[str, str]


def spell(value: Value) -> str:
    """A value as a cell; None is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return canonical_text(Decimal(value))
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case str():
            return sealed(value)


def unspell(cell: str, ours: str) -> Value:
    """What was written as ``cell`` for our value of this name: its name tells number and time from text."""
    if cell == "":
        return None
    if ours in ("score", "appraisal", "attainment", "probability", "confidence") and _NUMBER.fullmatch(cell):
        return Decimal(cell)
    if ours.endswith("_at"):
        return datetime.fromisoformat(cell)
    return unsealed(cell)


class ScoresFile:
    """The file of one folder. ``ours`` tells for each record which value of ours a column holds."""

    def __init__(self, path: Path, ours: Mapping[str, Mapping[str, str]]) -> None:
        self.path = path
        self._ours = ours
        self._lock = threading.Lock()

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> None:
        """Merges ``writes`` into the file. Raises RetryLaterError if the folder cannot be written now."""
        with self._lock:
            columns, rows = self._load()
            for write in writes:
                row = rows.setdefault((_name(target), write.remote_id), {})
                row.update({column: spell(value) for column, value in write.fields.items()})
                columns.update(dict.fromkeys(write.fields))
            try:
                self._save(list(columns), rows)
            except OSError as error:  # open in a spreadsheet, disk full, folder away: the old file stands
                text = f"{self.path}: {error.strerror}. Close it elsewhere; the next run tries again"
                raise RetryLaterError(text) from None

    def read(self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Value]]:
        """The cells of ``names``, by id; ids that have no line are left out."""
        with self._lock:
            _, rows = self._load()
        ours = self._ours.get(target.record, {})
        return {
            remote_id: {name: unspell(row.get(name, ""), ours.get(name, name)) for name in names}
            for remote_id in ids
            if (row := rows.get((_name(target), remote_id))) is not None
        }

    def _load(self) -> tuple[dict[str, None], dict[Key, dict[str, str]]]:
        if not self.path.exists():
            return {}, {}
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = list(reader.fieldnames or ())
            if header[:2] != ["record", "id"]:
                raise ContractError(f"{self.path} is not ours: it does not begin with record,id. Move it away")
            rows = {
                (row["record"], unsealed(row["id"])): {name: row[name] or "" for name in header[2:]} for row in reader
            }
        return dict.fromkeys(header[2:]), rows

    def _save(self, columns: list[str], rows: Mapping[Key, Mapping[str, str]]) -> None:
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".scores-", suffix=".csv")
        try:
            with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:  # the mark makes Excel read UTF-8
                file.write(csv_line(["record", "id", *columns]))
                for (record, remote_id), row in sorted(rows.items()):
                    file.write(csv_line([record, sealed(remote_id), *(row.get(column, "") for column in columns)]))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _name(target: WriteTarget) -> str:
    return target.into or target.record
