"""What ``scoreback check`` asks a SAP tenant: who we are, what the service offers, and whether our fields are there."""

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from connectors.base import Finding, Stream, WriteTarget
from connectors.errors import ContractError, ForbiddenError, RejectedError
from connectors.http import Http
from connectors.mapping import paths_of, sources, unfilled
from connectors.sap.api import SapApi
from connectors.sap.columns import Columns
from connectors.sap.links import ASSIGNMENTS, OF_ASSIGNMENT, OF_REFERENCE, REFERENCES
from connectors.sap.metadata import Property
from connectors.sap.rows import STAMP
from connectors.sap.settings import OWN_KINDS, SapSettings
from connectors.sap.streams import READINGS
from connectors.sap.write import entity_set
from connectors.settings import KeyedWriteBack

SKEW = timedelta(seconds=60)
ADD = "add it to the service, or name another property"


def findings(
    api: SapApi, http: Http, connection: SapSettings, streams: tuple[Stream, ...], columns: Columns
) -> Iterator[Finding]:
    """One finding per question. A refused sign-in ends it with SignInError."""
    sets = api.metadata(fresh=True).sets
    yield Finding("ok", "sign-in", f"signed in; {api.service} has {len(sets)} sets")
    yield _clock(http)
    yield Finding("info", "allowance", "SAP tells no limit of calls; allowance.calls sets one of yours")
    for stream in streams:
        if connection.stream(stream.name) is not None:
            yield from _stream(api, connection, columns, stream)
    yield from _beside(api, [stream for stream in streams if stream.separate and connection.stream(stream.name)])
    if connection.stream("opportunity") is not None:
        yield from _statuses(api, connection)
    yield from _write_back(api, connection)


def _clock(http: Http) -> Finding:
    skew = http.server_now() - datetime.now(UTC)
    seconds = int(skew.total_seconds())
    if abs(skew) <= SKEW:
        return Finding("ok", "clock", f"within {abs(seconds)} s of SAP's")
    return Finding(
        "warning", "clock", f"SAP's clock is {seconds:+d} s from ours", "set this machine's clock; pulls use theirs"
    )


def _stream(api: SapApi, connection: SapSettings, columns: Columns, stream: Stream) -> Iterator[Finding]:
    where, remote = f"stream {stream.name}", columns.remote(stream)
    try:
        there = api.described(remote)
    except (ForbiddenError, RejectedError, ContractError) as error:  # only an own set can be of another service
        yield Finding("error", where, str(error), f"correct streams.{stream.name}.object")
        return
    if there is None:
        if stream.optional:
            yield Finding("info", where, f"the service has no {remote}: nothing is read")
        else:
            yield Finding("error", where, f"the service has no {remote}", "add it, or switch the stream off")
        return
    if stream.name in OWN_KINDS:
        yield from _own(connection, columns, stream, remote)
    missing = [column for column in columns.of(stream) if column not in there]
    yield from (_missing(connection, stream, column, there) for column in missing)
    if stream.name not in OWN_KINDS and STAMP in there and not there[STAMP].filterable:
        yield Finding("error", where, f"{remote}.{STAMP} cannot be filtered", "switch the stream off")
        return
    try:
        count = api.count(remote, columns.where(stream))
    except (ForbiddenError, RejectedError, ContractError) as error:
        yield Finding("error", where, str(error), "grant the business role of our user access to it, with all records")
        return
    if not missing:
        yield Finding("ok", where, f"{remote}: {count} rows, every property is there")


def _own(connection: SapSettings, columns: Columns, stream: Stream, remote: str) -> Iterator[Finding]:
    """What only an own set may lack: a meaning for its rows, and a stamp."""
    where = f"stream {stream.name}"
    if empty := unfilled(stream, connection):
        text = f"nothing fills {', '.join(empty)}: no row of {remote} can be read"
        yield Finding("error", where, text, f"map it under fields.{stream.name}")
    if not columns.stamp(stream):
        text = f"{remote} has no property that tells when a row was changed: it is read whole, with the metadata"
        yield Finding("info", where, text, f"map fields.{stream.name}.modified_at if it has one of another name")


def _beside(api: SapApi, streams: list[Stream]) -> Iterator[Finding]:
    """The sets that fill fields of other sets' rows."""
    for remote, columns in ((REFERENCES, OF_REFERENCE), (ASSIGNMENTS, OF_ASSIGNMENT)):
        filled = [stream for stream in streams if READINGS[stream.name].linked == (remote == REFERENCES)]
        there = api.properties(remote, columns) if filled else dict.fromkeys(columns)
        missing = [remote] if there is None else [f"{remote}.{name}" for name in columns if name not in there]
        if missing:
            fields = ", ".join(sorted(frozenset().union(*(stream.separate for stream in filled))))
            text = f"the service has no {', '.join(missing)}: {fields} of {', '.join(one.name for one in filled)} stay unknown"
            yield Finding("warning", f"stream {filled[0].name}", text, "add it to the service")


def _missing(connection: SapSettings, stream: Stream, column: str, there: dict[str, Property] | object) -> Finding:
    own = {
        path for name in (stream.name, stream.kind) for source in connection.fields.get(name, {}).values()
        for path in paths_of(source)
    }  # fmt: skip
    near = difflib.get_close_matches(column, list(there) if isinstance(there, dict) else [], n=1)
    advice = f"Did you mean {near[0]}? Else {ADD}" if near else ADD
    text = f"the service has no {column} in {connection.object_of(stream.name) or stream.remote}"
    level = "error" if column in own or column in (STAMP, "ObjectID") else "warning"
    fills = [ours for ours, source in sources(stream, connection).items() if column in paths_of(source)]
    if level == "warning":
        text += f": {fills[0] if fills else 'what it fills'} stays unknown"
    return Finding(level, f"stream {stream.name}", text, advice)  # type: ignore[arg-type]  # one of two literals


def _statuses(api: SapApi, connection: SapSettings) -> Iterator[Finding]:
    """Whether deals have a status that ``statuses`` does not name: their outcome is not known."""
    known = " and ".join(f"LifeCycleStatusCode ne '{code}'" for code in connection.statuses)
    try:
        unknown = api.count("OpportunityCollection", known)
    except (ForbiddenError, RejectedError, ContractError) as error:
        yield Finding("info", "statuses", f"deals of other statuses cannot be counted: {error}")
        return
    if unknown:
        text = f"{unknown} deals have a LifeCycleStatusCode that statuses does not name: they have no outcome"
        yield Finding("warning", "statuses", text, f"add it to statuses of connections/{connection.name}.yaml")
    else:
        yield Finding("ok", "statuses", "every deal's LifeCycleStatusCode is named")


def _write_back(api: SapApi, connection: SapSettings) -> Iterator[Finding]:
    for record, back in connection.write_back.items():
        keyed = isinstance(back, KeyedWriteBack)
        target = WriteTarget(record, back.into, back.key) if isinstance(back, KeyedWriteBack) else WriteTarget(record)
        remote, where = entity_set(target), f"write_back.{record}"
        names = [*back.fields, back.key] if isinstance(back, KeyedWriteBack) else list(back)
        there = api.properties(remote, names) or {}
        bad = [name for name in names if name not in there or not there[name].updatable]
        if not bad:
            yield Finding("ok", where, f"{remote}: every field is there and editable")
            continue
        advice = "a key user creates them: `scoreback provision` prints the steps"
        if record == "person" and not keyed:
            advice += ". Where employees take no fields, drop write_back.person: `scoreback report` serves"
        yield Finding("error", where, f"{remote}: {', '.join(bad)} not there or not editable", advice)
