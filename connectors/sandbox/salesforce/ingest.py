"""What an ingest job does with an uploaded CSV, row by row."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from connectors.sandbox.routing import Request
from connectors.sandbox.salesforce.schema import ObjectType
from connectors.sandbox.salesforce.values import CallError, RowError

if TYPE_CHECKING:
    from connectors.sandbox.salesforce import SalesforceEmulator

_DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
_MAX_CELL = 32_000
_MAX_COLUMNS = 5_000
_CLEAR = "#N/A"


@dataclass(slots=True)
class Outcome:
    """What became of the rows; ``error`` is why the job failed as a whole."""

    header: list[str] = field(default_factory=list)
    successful: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)
    error: str = ""

    @property
    def processed(self) -> int:
        """Rows that were tried."""
        return len(self.successful) + len(self.failed)


def ingest(emulator: "SalesforceEmulator", request: Request, info: Mapping[str, Any], upload: bytes) -> Outcome:
    """Writes every row of the upload. An empty cell is left alone, ``#N/A`` clears the field."""
    try:
        text = upload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Outcome(error="InvalidBatch : The upload is not UTF-8")
    if info["lineEnding"] == "LF" and "\r\n" in text.split("\n", 1)[0] + "\n":
        return Outcome(error="ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF")
    csv.field_size_limit(2**31 - 1)
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=_DELIMITERS[info["columnDelimiter"]]))
    if not lines:
        return Outcome(error="InvalidBatch : Failed to read the header: the upload is empty")
    kind = emulator.org.objects[info["object"]]
    outcome = Outcome(header=lines[0])
    wrong = _wrong_column(emulator, kind, lines[0])
    if wrong:
        outcome.error, outcome.unprocessed = f"InvalidBatch : Field name not found : {wrong}", lines[1:]
        return outcome
    records = [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]
    identified = [{**record, "id": _id_of(record)} for record in records]
    trouble = emulator.row_trouble(request, identified, [kind] * len(records))
    for at, (line, record) in enumerate(zip(lines[1:], records, strict=True)):
        error = trouble.get(at)
        if len(line) != len(lines[0]):
            error = RowError("INVALID_CSV", "the row has another number of cells than the header")
        written = error or _tried(emulator, kind, info, record)
        if isinstance(written, RowError):
            outcome.failed.append([_id_of(record), _error_text(written), *line])
        else:
            outcome.successful.append([written[0], str(written[1]).lower(), *line])
    return outcome


def _id_of(record: Mapping[str, str]) -> str:
    return record.get("Id") or record.get("id") or ""


def _error_text(error: RowError) -> str:
    fields = ",".join(error.fields)
    return f"{error.code}:{error.text}:{fields} --" if fields else f"{error.code}:{error.text}:--"


def _tried(
    emulator: "SalesforceEmulator", kind: ObjectType, info: Mapping[str, Any], record: Mapping[str, str]
) -> tuple[str, bool] | RowError:
    try:
        return emulator.saving(partial(_write, emulator, kind, info, record))
    except RowError as error:
        return error
    except CallError as error:
        code = "INVALID_TYPE_ON_FIELD_IN_RECORD" if error.code == "JSON_PARSER_ERROR" else error.code
        return RowError(code, error.text, error.fields)


def _wrong_column(emulator: "SalesforceEmulator", kind: ObjectType, header: list[str]) -> str | None:
    if len(header) > _MAX_COLUMNS:
        return header[_MAX_COLUMNS]
    return next((name for name in header if emulator.org.field(kind, name) is None), None)


def _write(
    emulator: "SalesforceEmulator", kind: ObjectType, info: Mapping[str, Any], record: Mapping[str, str]
) -> tuple[str, bool]:
    record_id = _id_of(record)
    long = next((name for name, cell in record.items() if len(cell) > _MAX_CELL), None)
    if long:
        raise RowError("STRING_TOO_LONG", f"{long}: data value too large (max length={_MAX_CELL})", [long])
    fields = {name: None if cell == _CLEAR else cell for name, cell in record.items() if cell}
    operation = info["operation"]
    if operation == "insert":
        return emulator.rows.insert(kind, fields), True
    if operation == "upsert":
        return emulator.writes.upsert(kind, kind.fields[info["externalIdFieldName"]], fields)
    if not record_id:
        raise RowError("MISSING_ARGUMENT", f"Id not specified in an {operation} call", ["Id"])
    if operation == "update":
        emulator.rows.update(kind, record_id, fields)
    else:
        emulator.rows.delete(kind, record_id)
    return record_id, False
