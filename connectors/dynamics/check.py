"""What ``scoreback check`` asks a Dataverse environment: who we are, what we may see, and what is tracked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from connectors.base import Finding, Stream
from connectors.dynamics.api import Description, DynamicsApi, address
from connectors.dynamics.read import Reader
from connectors.dynamics.readings import READINGS
from connectors.dynamics.rows import share_column
from connectors.dynamics.settings import DynamicsSettings
from connectors.dynamics.values import FORMATTED, plain_stage
from connectors.dynamics.write import TABLES
from connectors.errors import ForbiddenError, RejectedError
from connectors.mapping import unfilled
from connectors.stage_check import unmapped_stages

SKEW = timedelta(seconds=60)
GRANT = (
    "grant Read at Organization depth on the table, and on Entity and Attribute, in the security role of our "
    "application user, or switch the stream off"
)


def findings(
    api: DynamicsApi, connection: DynamicsSettings, streams: tuple[Stream, ...], reader: Reader
) -> Iterator[Finding]:
    """One finding per question. A refused sign-in ends it with SignInError."""
    yield _who(api)
    yield _clock(api)
    yield Finding("info", "allowance", "Dataverse does not say how many calls of the day are left")
    for stream in streams:
        if connection.stream(stream.name) is not None:
            yield from _stream(api, connection, reader, stream)
    if connection.stages:
        where = READINGS["stage"].where
        path = address("processstages", select="stagename,_processid_value", filter=where)
        named = f"_processid_value{FORMATTED}"
        rows = api.rows(path, labels=True)
        yield from unmapped_stages(connection, [(row.get(named), plain_stage(row["stagename"])) for row in rows])
    yield from _write_back(api, connection)


def _who(api: DynamicsApi) -> Finding:
    user = api.get("WhoAmI")["UserId"]
    name = api.rows(address("organizations", select="name"))[0]["name"]
    return Finding("ok", "sign-in", f"signed in to {name} as user {user}")


def _clock(api: DynamicsApi) -> Finding:
    skew = api.http.server_now() - datetime.now(UTC)
    seconds = int(skew.total_seconds())
    if abs(skew) <= SKEW:
        return Finding("ok", "clock", f"within {abs(seconds)} s of Dataverse's")
    text = f"Dataverse's clock is {seconds:+d} s from ours"
    return Finding("warning", "clock", text, "set this machine's clock; pulls use theirs")


def _stream(api: DynamicsApi, connection: DynamicsSettings, reader: Reader, stream: Stream) -> Iterator[Finding]:
    where, remote = f"stream {stream.name}", reader.tables.remote(stream)
    yield from _unmapped(connection, stream, remote)
    try:
        reading = reader.tables.reading(stream)
        seen = api.describe(reading.table)
        if seen is not None:
            api.page(address(remote, select=reading.key, filter=reading.where), rows=1)
    except (ForbiddenError, RejectedError) as error:
        yield Finding("error", where, str(error), GRANT)
        return
    if seen is None:
        yield _no_table(stream, reading.table)
        return
    missing = reader.columns.missing(stream)
    yield from (_missing_column(connection, stream, reading.table, column) for column in missing)
    if reading.tracked and not seen.tracked:
        text = f"change tracking is off for {reading.table}: deletions are found by the daily comparison only"
        yield Finding("warning", where, text, "switch on Track changes in the table's properties")
    yield from _secured(reader, stream, seen)
    if stream.kind == "split" and share_column(stream, connection) is None:
        text = "it is known who shares a deal, and not how: no column holds the share"
        yield Finding("info", where, text, f"name one, in per cent, in fields.{stream.name}.percentage")
    if stream.name == "history":
        yield from _auditing(api)
    if not missing:
        yield Finding("ok", where, f"{reading.table}: every column is there")


def _unmapped(connection: DynamicsSettings, stream: Stream, remote: str) -> Iterator[Finding]:
    empty = unfilled(stream, connection) if connection.object_of(stream.name) else []
    if empty:
        text = f"nothing fills {', '.join(empty)}: no row of {remote} can be read"
        yield Finding("error", f"stream {stream.name}", text, f"map it under fields.{stream.name}")


def _no_table(stream: Stream, table: str) -> Finding:
    where, text = f"stream {stream.name}", f"there is no table {table} here"
    if stream.optional:
        return Finding("info", where, text)
    return Finding("error", where, text, "install the app that brings it")


def _missing_column(connection: DynamicsSettings, stream: Stream, table: str, column: str) -> Finding:
    mapped = {
        str(path)
        for name in (stream.kind, stream.name)
        for source in connection.fields.get(name, {}).values()
        for path in (source.values() if isinstance(source, dict) else [source])
    }
    where, text = f"stream {stream.name}", f"{table} has no {column}"
    if column in mapped:
        return Finding("error", where, text, f"correct the name in fields.{stream.name}")
    return Finding("warning", where, text, "what it fills stays unknown")


def _secured(reader: Reader, stream: Stream, seen: Description) -> Iterator[Finding]:
    names = [column for column in reader.columns.wanted(stream) if seen.has(column)]
    secured = [one for one in names if seen.columns[one.partition("@")[0]].get("IsSecured")]
    if secured:
        text = f"column security is on for {', '.join(secured)}: without Read they look empty"
        advice = "give our application user a column security profile that reads them"
        yield Finding("warning", f"stream {stream.name}", text, advice)


def _auditing(api: DynamicsApi) -> Iterator[Finding]:
    deals = api.describe("opportunity")
    if deals is not None and not deals.audited:
        yield Finding(
            "info",
            "stream history",
            "auditing of opportunities is off: what changed is known from now on only, as we see it at each pull",
            "Power Platform admin center > Settings > Audit, then Auditing in the properties of Opportunity",
        )


def _write_back(api: DynamicsApi, connection: DynamicsSettings) -> Iterator[Finding]:
    for record, target in connection.write_back.items():
        where = f"write_back.{record}"
        table = TABLES[record][0]
        try:
            seen = api.describe(table)
        except ForbiddenError as error:
            yield Finding("error", where, str(error), GRANT)
            continue
        names = list(map(str, target))  # a table of its own is refused by the settings
        bad = [name for name in names if seen is None or not seen.columns.get(name, {}).get("IsValidForUpdate")]
        if bad:
            yield Finding(
                "error", where, f"{table}: {', '.join(bad)} not there or not writable", "run scoreback provision"
            )
        else:
            yield Finding("ok", where, f"{table}: every column is there; rights show with the first write")
