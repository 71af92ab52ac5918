"""What ``scoreback check`` asks a Zoho org: who we are, what we may see, and what it costs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from connectors.base import Finding, Stream, WriteTarget
from connectors.errors import ConfigError, ForbiddenError, RejectedError
from connectors.settings import KeyedWriteBack
from connectors.stage_check import unmapped_stages
from connectors.zoho import coql
from connectors.zoho.api import ZohoApi
from connectors.zoho.people import hidden_fields
from connectors.zoho.read import Reader
from connectors.zoho.settings import OWN_KINDS, ZohoSettings
from connectors.zoho.streams import LOAD_BEARING, PER_DEAL
from connectors.zoho.write import module_of

SKEW = timedelta(seconds=60)
NEARLY_SPENT = 0.8
"""Share of the day's credits used from which the org is short of them."""

_GRANT = "grant Read on it in the profile of our user, or correct the name"
_REFUSALS = (ForbiddenError, RejectedError)


def findings(api: ZohoApi, connection: ZohoSettings, streams: tuple[Stream, ...], reader: Reader) -> Iterator[Finding]:
    """One finding per question. A refused sign-in ends it with SignInError."""
    yield _org(api)
    yield _clock(api)
    yield _allowance(api)
    for stream in streams:
        if connection.stream(stream.name) is not None:
            yield from _stream(api, connection, reader, stream)
    if connection.stages:
        there = [
            (str(pipeline["actual_value"]), str(stage["actual_value"]))
            for _, pipeline in api.pipelines()
            for stage in pipeline.get("maps", ())
        ]
        yield from unmapped_stages(connection, dict.fromkeys(there))
    yield from _write_back(api, connection)


def _org(api: ZohoApi) -> Finding:
    try:
        org = api.org()
    except ForbiddenError as error:
        advice = "make a refresh token with ZohoCRM.org.READ: without it currency and credits are not known"
        return Finding("error", "sign-in", str(error), advice)
    return Finding("ok", "sign-in", f"signed in to {org.get('company_name')} ({org.get('type')}, {org.get('zgid')})")


def _clock(api: ZohoApi) -> Finding:
    skew = api.http.server_now() - datetime.now(UTC)
    seconds = int(skew.total_seconds())
    if abs(skew) <= SKEW:
        return Finding("ok", "clock", f"within {abs(seconds)} s of Zoho's")
    text = f"Zoho's clock is {seconds:+d} s from ours"
    return Finding("warning", "clock", text, "set this machine's clock; pulls use theirs")


def _allowance(api: ZohoApi) -> Finding:
    budget, used = api.learnt.get("budget"), api.http.limiter.day_used
    if not budget:
        return Finding(
            "info",
            "allowance",
            "the org does not say how many credits a day it has",
            "write allowance: {calls: NUMBER}",
        )
    if used is None:
        return Finding(
            "ok", "allowance", f"{int(budget):,} credits in 24 hours by the licence; less than half are used"
        )
    text = f"{used:,} of {int(budget):,} credits of the last 24 hours are used"
    if used > int(budget) * NEARLY_SPENT:
        advice = "other programs use them up: see Setup > Developer Hub > APIs and SDKs > Usage"
        return Finding("warning", "allowance", text, advice)
    return Finding("ok", "allowance", text)


def _stream(api: ZohoApi, connection: ZohoSettings, reader: Reader, stream: Stream) -> Iterator[Finding]:
    where = f"stream {stream.name}"
    try:
        if stream.name in ("person", "stage", "rate"):
            yield _plain(api, connection, stream)
        elif stream.name in PER_DEAL:
            yield Finding("info", where, "a call for each deal that moved: a first load takes one for every deal")
        else:
            yield from _module(api, reader, stream)
    except ConfigError as error:
        yield Finding("error", where, str(error))
    except _REFUSALS as error:
        level: Literal["info", "error"] = "info" if stream.optional else "error"
        advice = (
            "grant the right in the profile of our user, make a refresh token with the scope, or switch the stream off"
        )
        yield Finding(level, where, str(error), advice)


def _plain(api: ZohoApi, connection: ZohoSettings, stream: Stream) -> Finding:
    where = f"stream {stream.name}"
    if stream.name == "stage":
        count = sum(len(pipeline.get("maps", ())) for _, pipeline in api.pipelines())
        return Finding("ok", where, f"{count} stages in the pipelines of Deals")
    if stream.name == "rate":
        found = api.currencies()
        return Finding("ok" if found else "info", where, f"{len(found)} currencies" if found else "one currency only")
    hidden = hidden_fields(api, connection, stream)
    if hidden:
        return Finding("error", where, f"Users has no {' and no '.join(hidden)}, or our profile hides it", _GRANT)
    next(api.users("CurrentUser"))
    return Finding("ok", where, "users are readable")


def _module(api: ZohoApi, reader: Reader, stream: Stream) -> Iterator[Finding]:
    where, module = f"stream {stream.name}", reader.module(stream)
    reader.check_mapping(stream)
    api.coql(coql.select(["id"], module, [], "id asc", 1), 1)
    columns = reader.columns(stream)
    hidden = reader.hidden_of(stream, columns, fresh=True)
    for column in hidden:
        needed = column in reader.mapped_columns(stream) or column in LOAD_BEARING
        text = f"{module} has no {column}, or the profile of our user hides it"
        yield Finding("error" if needed else "warning", where, text, _GRANT)
    if stream.name in OWN_KINDS or not hidden:
        yield Finding("ok", where, f"{module}: {len(columns) - len(hidden)} of {len(columns)} fields are readable")


def _write_back(api: ZohoApi, connection: ZohoSettings) -> Iterator[Finding]:
    for record, target in connection.write_back.items():
        keyed = isinstance(target, KeyedWriteBack)
        into = target.into if isinstance(target, KeyedWriteBack) else None
        module, where = module_of(WriteTarget(record, into)), f"write_back.{record}"
        names = [*target.fields, target.key] if isinstance(target, KeyedWriteBack) else list(target)
        try:
            fields = api.fields(module, fresh=True)
        except ForbiddenError as error:
            yield Finding("error", where, str(error), "make a refresh token with ZohoCRM.settings.fields.ALL")
            continue
        closed = [
            name for name in names if name not in fields or (module != "Users" and not _updatable(dict(fields[name])))
        ]
        if closed:
            text = f"{module}: {', '.join(closed)} not there or not writable"
            yield Finding("error", where, text, "run scoreback provision, or grant Write in the profile of our user")
        elif keyed and not fields[names[-1]].get("unique"):
            text = f"{module}.{names[-1]} may hold duplicate values: rows would be written twice"
            yield Finding("error", where, text, "mark it Do not allow duplicate values in Setup")
        else:
            yield Finding("ok", where, f"{module}: every field is writable")


def _updatable(field: dict[str, object]) -> bool:
    operations = field.get("operation_type")
    return not isinstance(operations, dict) or operations.get("api_update") is not False
