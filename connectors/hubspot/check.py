"""The findings of ``scoreback check`` for a HubSpot account. Reads only: a few calls, none of which needs a write."""

import difflib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from connectors.base import Finding, Stream, WriteTarget
from connectors.errors import ConfigError, ForbiddenError, RejectedError, ScorebackError, SignInError
from connectors.hubspot.api import Json
from connectors.hubspot.rows import outcome
from connectors.mapping import remote_fields, unfilled
from connectors.settings import KeyedWriteBack
from connectors.stage_check import unmapped_stages

if TYPE_CHECKING:
    from connectors.hubspot import HubSpot

Pipelines = Callable[[], list[Json]]

SKEW_SECONDS = 120
PRIVATE_APP_USAGE = "/account-info/v3/api-usage/daily/private-apps"
_NO_PROPERTIES = frozenset({"stage", "person", "rate", "change", "split"})


def findings(connector: "HubSpot") -> Iterator[Finding]:
    """One line per fact that an admin should know, the worst of each stream. A refused sign-in ends the list."""
    try:
        yield from _account(connector)
    except SignInError as error:
        yield Finding(
            "error",
            "sign_in",
            str(error),
            "Make a service key or private app with the scopes of docs/connectors/hubspot.md.",
        )
        return
    yield from _allowance(connector)
    pipelines = cache(lambda: connector.api.pipelines("deals"))
    for stream in connector.streams:
        if stream.name != "change" and connector.connection.stream(stream.name) is not None:
            yield from _stream(connector, connector.located(stream), pipelines)
    yield from _stages_meant(connector, pipelines)
    yield from _write_back(connector)


def _account(connector: "HubSpot") -> Iterator[Finding]:
    account = connector.account
    text = f"account {account.portal}, time zone {account.zone.key}, currency {account.currency or 'not told'}"
    yield Finding("ok", "sign_in", text)
    skew = abs((connector.http.server_now() - datetime.now(UTC)).total_seconds())
    level, advice = ("warning", "Set this machine's clock.") if skew > SKEW_SECONDS else ("ok", "")
    yield Finding(level, "clock", f"{skew:.0f} s between HubSpot's clock and ours", advice)  # type: ignore[arg-type]  # one of two literals


def _allowance(connector: "HubSpot") -> Iterator[Finding]:
    try:
        rows = connector.api.get(PRIVATE_APP_USAGE).get("results", [])
    except ScorebackError:
        yield Finding("info", "allowance", "the day's calls are not told to this kind of app")
        return
    for row in rows:
        used, most = row.get("currentUsage"), row.get("usageLimit")
        yield Finding("ok", "allowance", f"{used} of {most} calls of the account's day are used")


def _stream(connector: "HubSpot", stream: Stream, pipelines: Pipelines) -> Iterator[Finding]:
    probes: dict[str, Callable[[], str]] = {
        "stage": lambda: _stages(pipelines()),
        "split": lambda: _splits(connector),
        "person": lambda: f"{len(connector.people.owners(archived=False))} active owners",
        "rate": lambda: (
            f"{len(connector.api.get('/settings/v3/currencies/exchange-rates', limit=1)['results'])} or more rates"
        ),
    }
    try:
        text = probes[stream.name]() if stream.name in probes else _probe(connector, stream)
    except ForbiddenError as error:
        level = "info" if stream.optional else "warning"
        yield Finding(level, stream.name, f"off: {error}", "Add the scope to the app, or write `off` for this stream.")  # type: ignore[arg-type]  # one of two literals
        return
    except RejectedError as error:
        level = "info" if stream.optional else "error"
        yield Finding(level, stream.name, f"off: {error}", "This account does not offer it.")  # type: ignore[arg-type]  # one of two literals
        return
    yield Finding("ok", stream.name, text)
    empty = unfilled(stream, connector.connection) if connector.connection.object_of(stream.name) else []
    if empty:
        text = f"nothing fills {', '.join(empty)}: no row of {stream.remote} can be read"
        yield Finding("error", stream.name, text, f"Map it under fields.{stream.name}.")
    if stream.name not in _NO_PROPERTIES:
        yield from _properties(connector, stream)


def _probe(connector: "HubSpot", stream: Stream) -> str:
    connector.api.page(stream.remote, ["hs_object_id"], limit=1)
    return f"{stream.remote} can be read"


def _splits(connector: "HubSpot") -> str:
    deals = connector.api.page("deals", ["hs_object_id"], limit=1)["results"]
    if not deals:
        return "there is no deal yet whose splits could be read"
    connector.api.splits([str(deals[0]["id"])])
    return "splits can be read"


def _stages(pipelines: list[Json]) -> str:
    stages = [stage for pipeline in pipelines for stage in pipeline.get("stages") or ()]
    return f"{len(pipelines)} pipelines, {len(stages)} stages"


def _stages_meant(connector: "HubSpot", pipelines: Pipelines) -> Iterator[Finding]:
    try:
        stages = [(str(pipeline["id"]), stage) for pipeline in pipelines() for stage in pipeline.get("stages") or ()]
    except (ForbiddenError, RejectedError):
        return  # said by the stream's own finding
    if connector.connection.stages:
        yield from unmapped_stages(connector.connection, [(pipeline, str(stage["id"])) for pipeline, stage in stages])
        return
    unclear = [str(stage["id"]) for _, stage in stages if outcome(stage.get("metadata") or {}) is None]
    if unclear:
        text = f"open, won or lost? HubSpot does not say it of {', '.join(unclear)}. Their deals are kept without an outcome"
        yield Finding("warning", "stages", text, "Name them under `stages`.")


def _properties(connector: "HubSpot", stream: Stream) -> Iterator[Finding]:
    try:
        there = connector.definitions(stream.remote)
    except (ForbiddenError, RejectedError) as error:
        yield Finding("info", stream.name, f"its properties cannot be verified: {error}")
        return
    own = {
        path for key in (stream.name, stream.kind) for value in connector.connection.fields.get(key, {}).values()
        for path in (value.values() if isinstance(value, dict) else [value]) if isinstance(path, str)
    }  # fmt: skip
    for name in remote_fields(stream, connector.connection):
        if name.startswith("@") or name in there or name in ("id", "archived", "createdAt", "updatedAt"):
            continue
        near = difflib.get_close_matches(name, there, n=1)
        advice = f"Did you mean {near[0]}?" if near else "Map another property, or leave it: it stays unknown."
        level = "error" if name in own else "info"
        yield Finding(level, f"{stream.name}.{name}", f"{stream.remote} has no property {name}", advice)  # type: ignore[arg-type]  # one of two literals


def _write_back(connector: "HubSpot") -> Iterator[Finding]:
    for record, back in connector.connection.write_back.items():
        keyed = isinstance(back, KeyedWriteBack)
        target = WriteTarget(record, back.into, back.key) if isinstance(back, KeyedWriteBack) else WriteTarget(record)
        names = list(back.fields) if isinstance(back, KeyedWriteBack) else list(back)
        where = f"write_back.{record}"
        try:
            remote = connector.object_type(target)
            there = connector.definitions(remote)
        except (ConfigError, ForbiddenError, RejectedError) as error:
            other = "drop `into` to write to the users object" if keyed else "use `into` with a custom object"
            advice = f"Run `scoreback provision`, or {other}; without either, `scoreback report` serves."
            yield Finding("error", where, str(error), advice if record == "person" else "Run `scoreback provision`.")
            continue
        missing = [name for name in [*names, *([target.key] if target.key else [])] if name not in there]
        fixed = [name for name in names if (there.get(name, {}).get("modificationMetadata") or {}).get("readOnlyValue")]
        if missing:
            yield Finding("error", where, f"{remote} lacks {', '.join(missing)}", "Run `scoreback provision`.")
        if fixed:
            yield Finding(
                "error", where, f"{', '.join(fixed)} cannot be written", "Delete them, then run `scoreback provision`."
            )
        if not missing and not fixed:
            yield Finding("ok", where, f"{len(names)} properties on {remote}")
