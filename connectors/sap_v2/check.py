"""What ``scoreback check`` asks a SAP Version 2 tenant: who we are, what is served, and what can be filtered and written."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from connectors.base import Finding, Page, Stream, Window
from connectors.errors import ContractError, ForbiddenError, MissingFieldsError, RejectedError
from connectors.http import Http
from connectors.mapping import paths_of, unfilled
from connectors.sap_v2.api import SapV2Api
from connectors.sap_v2.read import Reader
from connectors.sap_v2.settings import OWN_KINDS, SapV2Settings
from connectors.sap_v2.values import text_literal
from connectors.settings import KeyedWriteBack

SKEW = timedelta(seconds=60)


def findings(
    api: SapV2Api, http: Http, connection: SapV2Settings, streams: tuple[Stream, ...], reader: Reader
) -> Iterator[Finding]:
    """One finding per question. A refused sign-in ends it with SignInError."""
    deals = next(stream for stream in streams if stream.name == "opportunity")
    yield Finding("ok", "sign-in", f"signed in: {_counted(api.count(reader.path(deals)))} opportunities are visible")
    yield _clock(http)
    yield Finding("info", "allowance", "SAP tells no limit of calls; allowance.calls sets one of yours")
    for stream in streams:
        if connection.stream(stream.name) is not None and not stream.filled_by:
            yield from _stream(api, connection, reader, stream)
    if connection.stream("opportunity") is not None:
        yield from _statuses(api, connection, reader.path(deals))
    yield from _write_back(connection, reader, streams)


def _counted(count: int | None) -> str:
    return "an unknown number of" if count is None else str(count)


def _clock(http: Http) -> Finding:
    skew = http.server_now() - datetime.now(UTC)
    seconds = int(skew.total_seconds())
    if abs(skew) <= SKEW:
        return Finding("ok", "clock", f"within {abs(seconds)} s of SAP's")
    return Finding(
        "warning", "clock", f"SAP's clock is {seconds:+d} s from ours", "set this machine's clock; pulls use theirs"
    )


def _stream(api: SapV2Api, connection: SapV2Settings, reader: Reader, stream: Stream) -> Iterator[Finding]:
    where, path = f"stream {stream.name}", reader.path(stream)
    if stream.name in OWN_KINDS and (empty := unfilled(stream, connection)):
        text = f"nothing fills {', '.join(empty)}: no row of {path} can be read"
        yield Finding("error", where, text, f"map it under fields.{stream.name}")
    try:
        count = api.count(path)
        page = next(reader.pull(stream, Window(None, datetime.now(UTC)), None), Page(()))
    except MissingFieldsError as error:
        yield Finding("error", where, str(error), "correct the name, or have the field created")
        return
    except (ForbiddenError, RejectedError, ContractError) as error:
        absent = stream.optional and getattr(error, "status", None) == 404
        if absent:
            yield Finding("info", where, f"{path} is not there: nothing is read", "name another one in `paths`")
        else:
            yield Finding("error", where, str(error), "grant our user the service, or switch the stream off")
        return
    for lack in sorted(page.lacks):
        level = "error" if lack in _mapped(connection, stream) else "warning"
        text = f"{path} has no {lack}" + ("" if level == "error" else ": what it fills stays unknown")
        yield Finding(level, where, text, "correct the name, or map another field")  # type: ignore[arg-type]  # one of two literals
    if not page.lacks:
        yield Finding("ok", where, f"{path}: {_counted(count)} rows, every field is known")


def _mapped(connection: SapV2Settings, stream: Stream) -> set[str]:
    return {
        path for name in (stream.name, stream.kind) for source in connection.fields.get(name, {}).values()
        for path in paths_of(source)
    }  # fmt: skip


def _statuses(api: SapV2Api, connection: SapV2Settings, path: str) -> Iterator[Finding]:
    """Whether deals have a status that ``statuses`` does not name: their outcome is not known."""
    known = " and ".join(f"status ne {text_literal(status)}" for status in connection.statuses)
    try:
        page = api.page(path, {"$top": "1", "$select": "id", "$filter": known})
    except (ForbiddenError, RejectedError, ContractError) as error:
        yield Finding("info", "statuses", f"deals of other statuses cannot be counted: {error}")
        return
    if page.rows:
        text = f"{_counted(page.count)} deals have a status that statuses does not name: they have no outcome"
        yield Finding("warning", "statuses", text, f"add it to statuses of connections/{connection.name}.yaml")
    else:
        yield Finding("ok", "statuses", "every deal's status is named")


def _write_back(connection: SapV2Settings, reader: Reader, streams: tuple[Stream, ...]) -> Iterator[Finding]:
    for record, back in connection.write_back.items():
        where, stream = f"write_back.{record}", next(one for one in streams if one.name == record)
        if isinstance(back, KeyedWriteBack):
            yield Finding("error", where, "Version 2 has no objects of our own", "drop `into`, and map fields")
            continue
        told = {name: reader.known(stream, f"extensions.{name}") for name in back}
        missing = [name for name, there in told.items() if there is False]
        if missing:
            yield Finding(
                "error", where, f"{reader.path(stream)} has no extension {', '.join(missing)}",
                "an administrator creates them: `scoreback provision` prints the steps",
            )  # fmt: skip
        elif None in told.values():
            yield Finding("info", where, "whether the fields are there cannot be told before the first push")
        else:
            yield Finding("ok", where, f"{reader.path(stream)}: every extension field is known")
