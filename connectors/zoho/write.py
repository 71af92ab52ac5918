"""Writing to Zoho by batches of 100 (of users 10), with a verdict for each record; and reading our fields back.

A key that a module does not have is passed over by Zoho without a word, and the record reported as written: so the
module's fields are asked for once before anything is sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from connectors.base import Recovery, Rejection, Value, Write, WriteTarget, Written
from connectors.errors import ConfigError, RejectedError
from connectors.zoho import coql
from connectors.zoho.api import Fields, ZohoApi, missing_module, refuse_unless
from connectors.zoho.manners import words

MODULES = {"opportunity": "Deals", "person": "Users"}
"""Where fields are written when no module of our own is named."""

RECORDS_A_CALL = 100
USERS_A_CALL = 10
NAME = "Name"
"""The name of a record, which no module of one's own does without."""

_NUMBERS = frozenset({"double", "currency", "percent", "integer", "bigint"})
_NO_SUCH_ID = "the id given seems to be invalid"
_RECOVERIES: dict[str, Recovery] = {
    "RECORD_LOCKED": "retry",
    "DEPENDENT_SERVICE_ERROR": "retry",
    "INTERNAL_ERROR": "retry",
    "INTERNAL_SERVER_ERROR": "retry",
    "ALREADY_MODIFIED": "retry",
    "CANNOT_UPDATE_DELETED_USER": "gone",
}
"""What follows a refusal; INVALID_DATA speaks of an id or of a field, every other code waits for a person."""

Records = Mapping[str, Mapping[str, Value]]


def module_of(target: WriteTarget) -> str:
    """The module that a target writes to."""
    return target.into or MODULES[target.record]


def merged(writes: Sequence[Write]) -> Records:
    """Fields by id, each once a call: later fields win."""
    records: dict[str, dict[str, Value]] = {}
    for each in writes:
        records.setdefault(each.remote_id, {}).update(each.fields)
    return records


def unknown_fields(api: ZohoApi, target: WriteTarget, records: Records) -> dict[str, Rejection]:
    """A refusal for each record that has a field which the module does not have: Zoho would not say so."""
    module = module_of(target)
    names = {name for fields in records.values() for name in fields} | ({target.key} if target.key else set())
    if not names <= api.fields(module).keys():
        api.fields(module, fresh=True)
    unknown = sorted(names - api.fields(module).keys())
    if not unknown:
        return {}
    text = f"{module} has no {' and no '.join(unknown)}: run scoreback provision"
    return dict.fromkeys(records, Rejection("FIELD_NOT_AVAILABLE", text, "field"))


def write(api: ZohoApi, target: WriteTarget, records: Records, *, automation: bool) -> Iterator[Written]:
    """As many calls as the records take, each with its verdicts."""
    users = target.into is None and target.record == "person"
    size = USERS_A_CALL if users else RECORDS_A_CALL
    names = list(records)
    for start in range(0, len(names), size):
        part = names[start : start + size]
        yield from _one_call(api, target, part, records, users=users, automation=automation)


def _one_call(
    api: ZohoApi, target: WriteTarget, part: Sequence[str], records: Records, *, users: bool, automation: bool
) -> Iterator[Written]:
    fields, module = api.fields(module_of(target)), module_of(target)
    rows = [_row(target, name, records[name], fields) for name in part]
    key = "users" if users else "data"
    body: dict[str, Any] = {key: rows}
    if not users and not automation:
        # Left out, every workflow, approval and blueprint of the org would run for each score.
        body["trigger"] = []
    if target.key:
        body["duplicate_check_fields"] = [target.key]
    elif "trigger" in body:
        body["skip_feature_execution"] = [{"name": "cadences"}]  # an upsert does not take it
    method, path = ("POST", f"{module}/upsert") if target.key else ("PUT", "users" if users else module)
    try:
        answer = api.call(
            method, f"/crm/{api.version}/{path}", price=-(-len(rows) // 10), json=body, accept=(400,), json_only=True
        )
        verdicts = refuse_unless(answer, key, len(rows))
    except RejectedError as error:
        if users and len(part) > 1:  # one of them may be why, and need not be named
            for name in part:
                yield from _one_call(api, target, [name], records, users=True, automation=automation)
            return
        refused = rejection(error.code, error.text, {})
        yield from (Written(name, refused) for name in part)
        return
    yield from (Written(name, _verdict(said)) for name, said in zip(part, verdicts, strict=True))


def _row(target: WriteTarget, name: str, values: Mapping[str, Value], fields: Fields) -> dict[str, Any]:
    row: dict[str, Any] = {one: spelled(value, fields.get(one, {})) for one, value in values.items()}
    if not target.key:
        return {"id": name, **row}
    named = {NAME: name[:120]} if NAME in fields and target.key != NAME else {}
    return {target.key: name, **named, **row}


def _verdict(said: Mapping[str, Any]) -> Rejection | None:
    if said.get("status") == "success":
        return None
    details = said.get("details")
    return rejection(str(said.get("code") or "UNKNOWN"), words(said), details if isinstance(details, dict) else {})


def rejection(code: str, text: str, details: Mapping[str, Any]) -> Rejection:
    """The vendor's refusal with what follows from it."""
    if code == "INVALID_DATA" and _NO_SUCH_ID in text:
        return Rejection(code, text, "gone")
    if code in ("INVALID_DATA", "DEPENDENT_MISMATCH") and details.get("api_name") not in (None, "id"):
        return Rejection(code, text, "field")
    return Rejection(code, text, _RECOVERIES.get(code, "park"))


def spelled(value: Value, field: Mapping[str, Any]) -> str | int | bool | Decimal | None:
    """A value as JSON carries it to Zoho; a number with more places than its field has is refused, so it is rounded."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        whole = field.get("data_type") in ("integer", "bigint")
        places = 0 if whole else field.get("decimal_place")
        rounded = value if places is None else value.quantize(Decimal(1).scaleb(-int(places)), ROUND_HALF_EVEN)
        return int(rounded) if whole else rounded
    return value


def read_fields(
    api: ZohoApi, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
) -> Mapping[str, Mapping[str, Value]]:
    """What these fields hold now, by id or key. Raises ConfigError for a field that we do not see."""
    module = module_of(target)
    fields = api.fields(module) if api.fields(module).keys() >= set(names) else api.fields(module, fresh=True)
    if not fields:
        raise missing_module(api.name, module)
    unseen = [name for name in names if name not in fields]
    if unseen:
        raise ConfigError(
            f"{api.name}: {module} has no {' and no '.join(unseen)}, or the profile of our user hides it. Run scoreback "
            "provision, or grant Read and Write on it"
        )
    types = {name: str(fields[name].get("data_type")) for name in names}
    key = target.key or "id"
    rows = _users(api, ids) if module == "Users" else _records(api, module, key, ids, names)
    return {str(row[key]): {name: understood(row.get(name), kind) for name, kind in types.items()} for row in rows}


def _records(
    api: ZohoApi, module: str, key: str, ids: Sequence[str], names: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    for condition in coql.among(key, [one for one in ids if key != "id" or one.isdigit()]):
        for rows in api.rows(["id", key, *names], module, [condition], coql.FEW_ROWS):
            yield from rows


def _users(api: ZohoApi, ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    wanted = set(ids)
    for page in api.users("AllUsers"):
        yield from (user for user in page if user["id"] in wanted)


def understood(value: Any, kind: str) -> Value:
    """A field's value in our types, by its type in the module's fields."""
    if value in (None, ""):
        return None
    if kind in _NUMBERS:
        return Decimal(str(value))
    if kind == "datetime":
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind == "date":
        return date.fromisoformat(value)
    found: Value = value
    return found
