"""Writing to Salesforce by sObject Collections, with a verdict for each record; and reading our fields back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.base import Recovery, Rejection, Value, Write, WriteTarget, Written
from connectors.errors import ConfigError, ContractError, RejectedError
from connectors.salesforce import soql
from connectors.salesforce.api import SalesforceApi

OBJECTS = {"opportunity": "Opportunity", "person": "User"}
"""Where fields are written when no object of our own is named."""

_RECOVERIES: dict[str, Recovery] = {
    "UNABLE_TO_LOCK_ROW": "retry",
    "SERVER_UNAVAILABLE": "retry",
    "QUERY_TIMEOUT": "retry",
    "UNKNOWN_EXCEPTION": "retry",
    "ENTITY_IS_DELETED": "gone",
    "NOT_FOUND": "gone",
    "INVALID_CROSS_REFERENCE_KEY": "gone",
    "MALFORMED_ID": "gone",
    "INVALID_FIELD": "field",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "field",
}
"""What follows a refusal; every other code waits for a person."""


def remote_object(target: WriteTarget) -> str:
    """The object that a target writes to."""
    return target.into or OBJECTS[target.record]


def write(api: SalesforceApi, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
    """One call for up to 200 writes of one object (a setup object such as User must not share it with others)."""
    records: dict[str, dict[str, Any]] = {}  # an id twice in one call is refused: later fields win
    for each in writes:
        records.setdefault(each.remote_id, {}).update({name: spelled(value) for name, value in each.fields.items()})
    key = target.key if target.into else None
    path = f"composite/sobjects/{target.into}/{key}" if key else "composite/sobjects"
    attributes = {"type": remote_object(target)}
    body = [{"attributes": attributes, key or "id": name, **fields} for name, fields in records.items()]
    try:
        answer = api.rest(path, "PATCH", json={"allOrNone": False, "records": body})
    except RejectedError as error:
        refused = _of_the_call(target, error)
        yield from (Written(each.remote_id, refused) for each in writes)
        return
    verdicts = _verdicts(list(records), answer, keyed=key is not None)
    yield from (Written(each.remote_id, verdicts[each.remote_id]) for each in writes)


def _verdicts(ids: Sequence[str], answer: Any, *, keyed: bool) -> dict[str, Rejection | None]:
    """Each record's verdict; the answer's rows come in request order and name their record if it was accepted."""
    if not isinstance(answer, list) or len(answer) != len(ids):
        raise ContractError(f"{len(ids)} records were written, and the answer speaks of another number", str(answer))
    verdicts: dict[str, Rejection | None] = {}
    for name, row in zip(ids, answer, strict=True):
        said = row.get("id")
        if said and not keyed and said[:15] != name[:15]:
            raise ContractError(f"the verdict on {name} names {said}", str(row))
        if row["success"]:
            verdicts[name] = None
            continue
        first = (row.get("errors") or [{}])[0]
        code = str(first.get("statusCode") or first.get("errorCode") or "UNKNOWN")
        named = f" ({', '.join(first['fields'])})" if first.get("fields") else ""
        verdicts[name] = rejection(code, f"{first.get('message', '')}{named}", keyed=keyed)
    return verdicts


def _of_the_call(target: WriteTarget, error: RejectedError) -> Rejection:
    """Why a whole call was refused: for its object, key or fields, never for one record."""
    if error.code not in ("NOT_FOUND", "INVALID_TYPE"):
        return rejection(error.code, error.text)
    remote = remote_object(target)
    what = f"{remote}, or its external id {target.key}," if target.into else remote
    text = (
        f"{error.text}: {what} is not there, or hidden from the integration user. Run scoreback provision, or grant it"
    )
    return Rejection(error.code, text, "field")


def rejection(code: str, text: str, *, keyed: bool = False) -> Rejection:
    """The vendor's refusal of a record with what follows from it. One with a key of ours is made if it is not there:
    it is never gone."""
    # A customer's trigger that ran into a lock reports its own failure, with the lock in its text.
    locked = code.startswith("CANNOT_") and "UNABLE_TO_LOCK_ROW" in text
    recovery = "retry" if locked else _RECOVERIES.get(code, "park")
    return Rejection(code, text, "park" if keyed and recovery == "gone" else recovery)


def spelled(value: Value) -> str | int | bool | Decimal | None:
    """A value as JSON carries it to Salesforce."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def read_fields(
    api: SalesforceApi, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
) -> Mapping[str, Mapping[str, Value]]:
    """What these fields hold now, by id or key. Raises ConfigError for a field that we do not see."""
    remote = remote_object(target)
    description = api.describe(remote)
    unseen = [name for name in names if description is None or not description.has(name)]
    if description is None or unseen:
        raise ConfigError(
            f"{remote} has no {' and no '.join(unseen)}, or field-level security hides it from the integration user. "
            "Run scoreback provision, or grant Read and Edit on it in a permission set"
        )
    key = target.key if target.into and target.key else "Id"
    readers = {name: _READERS.get(description.fields[name]["type"], _as_it_is) for name in names}
    found: dict[str, Mapping[str, Value]] = {}
    for condition in soql.among(key, ids):
        for row in api.rows(soql.select((key, *names), remote, [condition])):
            found[row[key]] = {
                name: None if row[name] in (None, "") else read(row[name]) for name, read in readers.items()
            }
    return found


def _as_it_is(value: Any) -> Value:
    result: Value = value
    return result


_READERS: dict[str, Callable[[Any], Value]] = {
    **dict.fromkeys(("double", "currency", "percent", "int", "long"), Decimal),
    "datetime": lambda text: datetime.fromisoformat(text).astimezone(UTC),
    "date": date.fromisoformat,
}
"""How a field's value is read, by its type in describe."""
