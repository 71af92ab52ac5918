"""Writing to Dataverse: all rows in one message, else one by one in a batch, with a verdict for each; reading back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.base import Recovery, Rejection, Value, Write, WriteTarget, Written
from connectors.dynamics.api import DynamicsApi
from connectors.dynamics.manners import LOCKED, NO_SUCH_COLUMN, NO_SUCH_ROW, NOT_SUPPORTED, UNEXPECTED
from connectors.dynamics.multipart import Part, Said
from connectors.dynamics.read import is_about_column
from connectors.dynamics.settings import DynamicsSettings
from connectors.errors import AllowanceError, ConfigError, RejectedError, RetryLaterError

TABLES = {
    "opportunity": ("opportunity", "opportunities", "opportunityid"),
    "person": ("systemuser", "systemusers", "systemuserid"),
}
"""Logical name, set and primary key of the table that holds a record."""

ROWS_IN_BATCH = 100
"""Rows of one batch (the vendor's page, 4.2): each takes execution time of its own."""

_NO_BULK = "no_bulk"
_RECOVERIES: dict[str, Recovery] = {
    **dict.fromkeys((*LOCKED, UNEXPECTED), "retry"),
    NO_SUCH_ROW: "gone",
    NO_SUCH_COLUMN: "field",
}
"""What follows a refusal; every other code waits for a person."""


class Writer:
    """Writes rows of one environment. Learns which tables take no bulk message."""

    def __init__(self, api: DynamicsApi, settings: DynamicsSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._settings = settings
        self._learnt = learnt

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """One call if every row is good. UpdateMultiple takes all rows or none, so that a refusal is followed by a batch."""
        records: dict[str, dict[str, Any]] = {}  # an id twice in one call is refused: later fields win
        for each in writes:
            records.setdefault(each.remote_id, {}).update({name: spelled(value) for name, value in each.fields.items()})
        verdicts = self._together(target, records) if len(records) > 1 else None
        if verdicts is None:
            verdicts = self._one_by_one(target, records)
        yield from (Written(each.remote_id, verdicts[each.remote_id]) for each in writes)

    def _together(
        self, target: WriteTarget, records: Mapping[str, dict[str, Any]]
    ) -> dict[str, Rejection | None] | None:
        """Verdicts by UpdateMultiple; None if it took nothing."""
        table, remote, key = TABLES[target.record]
        if f"{_NO_BULK}:{table}" in self._learnt:
            return None
        kind = f"Microsoft.Dynamics.CRM.{table}"
        body = {"Targets": [{"@odata.type": kind, key: one, **fields} for one, fields in records.items()]}
        try:
            self._api.send("POST", f"{remote}/Microsoft.Dynamics.CRM.UpdateMultiple", body, **self._quietly())
        except RetryLaterError as error:
            if isinstance(error, AllowanceError) or error.after_seconds is not None:
                raise
            return None  # too slow or locked as a whole: in parts perhaps not; where Dataverse is away, they fail too
        except RejectedError as error:
            if error.code == NOT_SUPPORTED or (error.status in (404, 501) and error.code != NO_SUCH_ROW):
                self._learnt[f"{_NO_BULK}:{table}"] = "yes"
            elif is_about_column(error):  # the same for every row
                return dict.fromkeys(records, rejection(error.code, error.text))
            return None
        return dict.fromkeys(records, None)

    def _one_by_one(self, target: WriteTarget, records: Mapping[str, dict[str, Any]]) -> dict[str, Rejection | None]:
        _, remote, _ = TABLES[target.record]
        # Without If-Match a PATCH makes a row that is not there: a deleted deal would come back as an empty shell.
        headers = {"If-Match": "*", **self._quietly()}
        ids = list(records)
        verdicts: dict[str, Rejection | None] = {}
        for place in range(0, len(ids), ROWS_IN_BATCH):
            some = ids[place : place + ROWS_IN_BATCH]
            parts = [Part("PATCH", f"{self._api.root}{remote}({one})", records[one], headers) for one in some]
            for one, said in zip(some, self._api.batch(parts), strict=True):
                verdicts[one] = _verdict(said)
        return verdicts

    def _quietly(self) -> dict[str, str]:
        """Headers that keep automations from running on our writes (the vendor's page, 4.4)."""
        headers = (
            {"MSCRM.SuppressCallbackRegistrationExpanderJob": "true"} if self._settings.automation == "off" else {}
        )
        if self._settings.bypass_plugins:
            headers["MSCRM.BypassBusinessLogicExecution"] = "CustomSync,CustomAsync"
        return headers

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What these columns hold now, by id. Raises ConfigError for one that is not there."""
        table, remote, key = TABLES[target.record]
        seen = self._api.describe(table)
        if seen is None or not all(map(seen.has, names)):
            seen = self._api.describe(table, fresh=True)  # made since we began
        unseen = [name for name in names if seen is None or not seen.has(name)]
        if seen is None or unseen:
            raise ConfigError(
                f"{table} has no {' and no '.join(unseen)}. Run scoreback provision, or correct write_back"
            )
        kinds = {name: str(seen.columns[name]["AttributeType"]) for name in names}
        rows = self._api.rows_by_ids(remote, ",".join((key, *names)), key, ids)
        return {row[key]: {name: _read(kind, row.get(name)) for name, kind in kinds.items()} for row in rows}


def _verdict(said: Said) -> Rejection | None:
    if 200 <= said.status < 300:
        return None
    code, text = said.error
    if said.passes:
        return Rejection(code, text, "retry")
    if said.status == 404:
        return Rejection(code, text, "gone")
    return rejection(code, text)


def rejection(code: str, text: str) -> Rejection:
    """The vendor's refusal with what follows from it."""
    about_column = is_about_column(RejectedError(code, text))
    return Rejection(code, text, "field" if about_column else _RECOVERIES.get(code, "park"))


def spelled(value: Value) -> str | int | bool | Decimal | None:
    """A value as JSON carries it to Dataverse."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def _read(kind: str, value: Any) -> Value:
    if value in (None, ""):
        return None
    if kind in ("Decimal", "Integer", "BigInt", "Double", "Money"):
        return Decimal(value)
    if kind == "DateTime":
        return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value).astimezone(UTC)
    result: Value = value
    return result
