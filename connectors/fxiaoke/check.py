"""What ``scoreback check`` asks a Fxiaoke tenant: who acts, what is there, what it means, and what we may write."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from connectors.base import Finding, Stream, WriteTarget
from connectors.errors import ConfigError, ForbiddenError, RejectedError
from connectors.fxiaoke.api import FxiaokeApi, where
from connectors.fxiaoke.manners import PACK
from connectors.fxiaoke.read import Reader
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.streams import ACTIVITY_KINDS, BY_NAME, LOAD_BEARING, OUTCOMES
from connectors.fxiaoke.values import CALCULATED
from connectors.fxiaoke.write import remote_object
from connectors.http import Http
from connectors.settings import KeyedWriteBack, WriteBack
from connectors.stage_check import unmapped_stages

SKEW = timedelta(seconds=60)


class Check:
    """The questions, each with its findings. A refused sign-in ends them with SignInError."""

    def __init__(self, api: FxiaokeApi, http: Http, connection: FxiaokeSettings, reader: Reader) -> None:
        self._api = api
        self._http = http
        self._connection = connection
        self._reader = reader

    def findings(self, streams: tuple[Stream, ...]) -> Iterator[Finding]:
        """One finding per question."""
        objects = self._api.objects()
        yield Finding("ok", "sign-in", f"signed in; the tenant has {len(objects)} objects")
        yield from self._clock()
        yield self._allowance()
        yield from self._generations(objects)
        for stream in streams:
            on = self._connection.stream(stream.name) is not None
            if on and stream.name == "person":
                yield from _granted("stream person", self._people())
            elif on and stream.name != "stage" and not stream.filled_by and self._reader.remote(stream):
                yield from _granted(f"stream {stream.name}", self._stream(stream, objects))
        yield from _granted("meanings", self._meanings())
        yield from self._goal_rules()
        for record, setting in self._connection.write_back.items():
            place = f"write_back.{record}"
            yield from _granted(place, self._written(place, record, setting))

    def _clock(self) -> Iterator[Finding]:
        seen = self._http.seen_now()
        if seen is None:
            return
        skew = seen - datetime.now(UTC)
        seconds = int(skew.total_seconds())
        if abs(skew) <= SKEW:
            yield Finding("ok", "clock", f"within {abs(seconds)} s of Fxiaoke's")
        else:
            advice = "set this machine's clock; pulls use theirs"
            yield Finding("warning", "clock", f"Fxiaoke's clock is {seconds:+d} s from ours", advice)

    def _allowance(self) -> Finding:
        ours = self._http.limiter.day_share
        text = f"Fxiaoke does not tell its limit; a pack has {PACK} calls a day, {ours or 0} of them are ours"
        return Finding("info", "allowance", text, "with more packs set allowance.calls")

    def _generations(self, objects: dict[str, bool]) -> Iterator[Finding]:
        """Two generations of deals exist side by side: only one is read."""
        read = self._reader.remote(BY_NAME["opportunity"])
        other = "OpportunityObj" if read != "OpportunityObj" else "NewOpportunityObj"
        if objects.get(other) and objects.get(read):
            yield Finding(
                "warning",
                "stream opportunity",
                f"{read} and {other} are both in use: only {read} is read",
                "name the one that counts in objects.opportunity, or give the other a connection of its own",
            )

    def _people(self) -> Iterator[Finding]:
        people = self._reader.directory.people()
        if self._connection.sign_in.flow == "header" and any(one["openUserId"].startswith("FSUID_") for one in people):
            text = "the directory names employees otherwise (FSUID_...) than records do: no owner would be known"
            yield Finding("error", "stream person", text, "take sign_in.flow: body")
        elif people:
            yield Finding("ok", "stream person", f"{len(people)} employees are visible")
        else:
            advice = "管理后台 > 应用管理: add the whole company to what the application may see (可见范围)"
            yield Finding("error", "stream person", "no employee is visible", advice)

    def _stream(self, stream: Stream, objects: dict[str, bool]) -> Iterator[Finding]:
        place, remote = f"stream {stream.name}", self._reader.remote(stream)
        if not objects.get(remote):
            usual = stream.optional and stream.name not in self._connection.objects
            text = f"{remote} is not in use here"
            yield Finding("info" if usual else "error", place, text, "switch the stream off if it is meant so")
            return
        fields = self._reader.fields(stream, fresh=True)
        rows = self._api.count(remote)
        missing = self._reader.missing(stream, fields or {})
        yield from (self._missing(stream, remote, name) for name in missing)
        if not missing:
            seen = "its rows, and does not tell how many" if rows is None else f"{rows} rows"
            yield Finding(
                "ok", place, f"{remote}: our employee sees {seen}: compare with that person's list in the web"
            )

    def _missing(self, stream: Stream, remote: str, name: str) -> Finding:
        place = f"stream {stream.name}"
        if name in self._reader.mapped_columns(stream):
            text = f"{remote} has no field {name}, or it is switched off"
            return Finding("error", place, text, f"correct it in fields.{stream.name}; 对象管理 > 字段 tells api names")
        if name in LOAD_BEARING.get(stream.name, ()):
            text = f"{remote} has no field {name}, or it is switched off: the stream is off"
            return Finding("error", place, text, f"name its successor in fields.{stream.name}")
        text = f"{remote} has no field {name}: what it fills stays unknown"
        return Finding("warning", place, text, f"map the field that this tenant uses in fields.{stream.name}")

    def _meanings(self) -> Iterator[Finding]:
        """What options mean that stand for outcomes, kinds of activities and stages."""
        connection = self._connection
        deal = self._api.describe(self._reader.remote(BY_NAME["opportunity"]))
        if deal is None:
            return
        status = deal.options("sales_status")
        if connection.stream("opportunity") is not None and status:
            known = {*connection.outcomes, *OUTCOMES}
            unmapped = [f"{label} ({value})" for value, label in status.items() if not known & _names(value, label)]
            yield _mapped("outcomes", "states of deals (sales_status)", unmapped, "their deals have no outcome")
        if connection.stream("follow_up") is not None:
            record = self._api.describe(self._reader.remote(BY_NAME["follow_up"]))
            ways = record.options("interactive_types") if record is not None else {}
            known = {*connection.activity_kinds, *ACTIVITY_KINDS}
            others = [label for value, label in ways.items() if not known & _names(value, label)]
            if others:
                yield Finding("info", "activity_kinds", f"counted as tasks: {', '.join(others)}")
        stages = deal.options(self._reader.stage_column())
        named = {entry.stage for entries in connection.stages.values() for entry in entries}
        yield from unmapped_stages(connection, [(None, value) for value in stages if value not in named])
        if connection.stages and set(stages) - named:
            listed = ", ".join(f"{label} is {value}" for value, label in stages.items() if value not in named)
            yield Finding("info", "stages", f"stages are named by their values, not by their labels: {listed}")

    def _goal_rules(self) -> Iterator[Finding]:
        stream = BY_NAME["target"]
        if self._connection.stream("target") is None or self._connection.goal_rules:
            return
        try:
            rules = [
                row.get("name") or row["_id"]
                for row in self._api.rows("GoalRuleObj", ("name",), [where("_id", "GT", "0")])
            ]
        except (ForbiddenError, RejectedError):
            return  # said by the stream's own finding
        if rules:
            text = f"rules of goals are taken for metrics by their names: {', '.join(map(str, rules))}"
            yield Finding(
                "info", f"stream {stream.name}", text, "say in goal_rules which of our metrics each one measures"
            )

    def _written(self, place: str, record: Literal["opportunity", "person"], setting: WriteBack) -> Iterator[Finding]:
        into, key = (setting.into, setting.key) if isinstance(setting, KeyedWriteBack) else (None, None)
        names = [*setting.fields, setting.key] if isinstance(setting, KeyedWriteBack) else list(setting)
        try:
            remote = remote_object(self._connection, WriteTarget(record, into))
        except ConfigError as error:
            yield Finding("error", place, str(error))
            return
        yield self._writable(place, remote, names, key)

    def _writable(self, place: str, remote: str, names: list[str], key: str | None) -> Finding:
        described = self._api.describe(remote, fresh=True)
        if described is None:
            return Finding("error", place, f"there is no object {remote}", "scoreback provision says how it is made")
        bad = [name for name in names if described.fields.get(name, {}).get("type", "quote") in CALCULATED]
        if bad:
            text = f"{remote}: {', '.join(bad)} not there, switched off, or calculated"
            return Finding("error", place, text, "scoreback provision says how they are made")
        if key is None:
            return Finding("ok", place, f"{remote}: every field is there")
        if described.fields[key].get("is_unique") is False:
            return Finding("error", place, f"{remote}.{key} is not unique", "take `name` as the key")
        needed = [name for name, one in described.fields.items() if name not in names and _is_needed(name, one)]
        if needed:
            text = f"{remote}: no row can be made without {', '.join(needed)}"
            return Finding("error", place, text, "对象管理 > 字段: make them not required (必填)")
        return Finding("ok", place, f"{remote}: every field is there")


def _granted(place: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of one question; what our employee may not see ends that question and no other."""
    try:
        yield from findings
    except (ForbiddenError, RejectedError) as error:
        advice = "管理后台 > 角色管理: give our employee's role the right to see all of it"
        yield Finding("error", place, str(error), advice)


def _is_needed(name: str, known: Mapping[str, Any]) -> bool:
    """Whether a row cannot be made without a value for this field of the tenant's own."""
    own = name.endswith("__c") and known.get("type") not in CALCULATED
    return own and known.get("is_required") is True and known.get("default_value") in (None, "")


def _names(value: str, label: str) -> set[str]:
    """How an option may be named: by its value, its label, or its label as Fxiaoke ships it."""
    return {value, label, label.casefold()}


def _mapped(place: str, what: str, unmapped: list[str], follows: str) -> Finding:
    if not unmapped:
        return Finding("ok", place, f"every one of the {what} is known")
    text = f"not known: {', '.join(unmapped)} of the {what}: {follows}"
    return Finding("warning", place, text, f"name them in {place} of this connection")
