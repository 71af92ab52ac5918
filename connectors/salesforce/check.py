"""What ``scoreback check`` asks a Salesforce organisation: who we are, what we may see, and what it costs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from connectors.base import Finding, Stream, WriteTarget
from connectors.errors import ForbiddenError, RejectedError
from connectors.http import Http
from connectors.mapping import unfilled
from connectors.salesforce import soql
from connectors.salesforce.api import Description, SalesforceApi
from connectors.salesforce.currencies import CURRENCY
from connectors.salesforce.read import Reader
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.streams import LOAD_BEARING, READINGS
from connectors.salesforce.write import remote_object
from connectors.settings import KeyedWriteBack
from connectors.stage_check import unmapped_stages

SKEW = timedelta(seconds=60)
NEARLY_SPENT = 0.2
"""Share of the day's calls below which the organisation is short of them."""

SEE_OBJECT = "grant Read and View All on the object, or switch the stream off"
GRANT = "grant Read on it in a permission set of the integration user"


def findings(
    api: SalesforceApi, http: Http, connection: SalesforceSettings, streams: tuple[Stream, ...], reader: Reader
) -> Iterator[Finding]:
    """One finding per question. A refused sign-in ends it with SignInError."""
    version = _version(http, connection)
    yield version
    if version.level == "error":
        return  # every other question would be answered by 404
    yield _organisation(api)
    yield _clock(http)
    yield _allowance(api)
    yield _currency(reader)
    for stream in streams:
        if connection.stream(stream.name) is not None:
            yield from _stream(api, connection, reader, stream)
    if connection.stages:
        there = [
            (None, str(row["ApiName"]))
            for row in api.rows("SELECT ApiName FROM OpportunityStage WHERE IsActive = true")
        ]
        yield from unmapped_stages(connection, there)
    if connection.stream("target") is not None:
        yield from _quotas(api, connection)
    if connection.stream("field_history") is not None:
        yield from _owner_history(api)
    if connection.stream("split") is not None:
        yield from _split_types(api)
    yield from _write_back(api, connection)


def _organisation(api: SalesforceApi) -> Finding:
    row = next(api.rows("SELECT Id, Name, IsSandbox FROM Organization"))
    sort = "a sandbox" if row["IsSandbox"] else "production"
    return Finding("ok", "sign-in", f"signed in to {row['Name']} ({sort}, {row['Id']})")


def _version(http: Http, connection: SalesforceSettings) -> Finding:
    offered = [entry["version"] for entry in http.get("/services/data/", sign_in=False)]
    if connection.api_version in offered:
        return Finding("ok", "api_version", f"{connection.api_version} is served; the newest is {offered[-1]}")
    return Finding(
        "error", "api_version", f"{connection.api_version} is not served here", f"set api_version to {offered[-1]}"
    )


def _clock(http: Http) -> Finding:
    skew = http.server_now() - datetime.now(UTC)
    seconds = int(skew.total_seconds())
    if abs(skew) <= SKEW:
        return Finding("ok", "clock", f"within {abs(seconds)} s of Salesforce's")
    return Finding(
        "warning",
        "clock",
        f"Salesforce's clock is {seconds:+d} s from ours",
        "set this machine's clock; pulls use theirs",
    )


def _allowance(api: SalesforceApi) -> Finding:
    day = api.rest("limits").get("DailyApiRequests")
    if not day:
        return Finding("info", "allowance", "the organisation does not say how many calls are left")
    left, most = day["Remaining"], day["Max"]
    text = f"{left} of {most} calls a day are left"
    if left < most * NEARLY_SPENT:
        return Finding("warning", "allowance", text, "other programs use them up: find out which in Setup > API Usage")
    return Finding("ok", "allowance", text)


def _currency(reader: Reader) -> Finding:
    corporate = reader.currencies.corporate()
    if corporate is not None:
        return Finding("ok", "currency", f"several, with rates against {corporate}")
    only = reader.currencies.only()
    if only is not None:
        return Finding("ok", "currency", f"every amount is in {only}")
    text = "Salesforce does not say which currency the organisation has: its amounts do not count"
    return Finding(
        "warning", "currency", text, "map currency: {value: EUR}, or yours, under fields.opportunity and fields.target"
    )


def _stream(api: SalesforceApi, connection: SalesforceSettings, reader: Reader, stream: Stream) -> Iterator[Finding]:
    where, remote = f"stream {stream.name}", reader.remote(stream)
    empty = unfilled(stream, connection) if connection.object_of(stream.name) else []
    if empty:
        text = f"nothing fills {', '.join(empty)}: no row of {remote} can be read"
        yield Finding("error", where, text, f"map it under fields.{stream.name}")
    try:
        seen = api.describe(remote)
    except ForbiddenError as error:
        yield Finding("error", where, str(error), SEE_OBJECT)
        return
    if seen is None:
        if stream.optional:
            yield Finding("info", where, f"{remote} does not exist here: the feature is off")
        else:
            yield Finding("error", where, f"{remote} is not visible", SEE_OBJECT)
        return
    hidden = _hidden(reader, stream, seen)
    yield from (_hidden_field(reader, stream, column) for column in hidden)
    cursor = READINGS[stream.name].cursor
    if cursor in seen.fields and not seen.fields[cursor].get("filterable", True):
        yield Finding("error", where, f"{remote}.{cursor} cannot be filtered", "switch the stream off")
    elif not hidden:
        yield Finding("ok", where, f"{remote}: every field is readable")


def _hidden_field(reader: Reader, stream: Stream, column: str) -> Finding:
    where, remote = f"stream {stream.name}", reader.remote(stream)
    if column in reader.mapped_columns(stream):
        text = f"{remote} has no {column}, or field-level security hides it"
        return Finding("error", where, text, f"correct the name, or {GRANT}")
    if column in LOAD_BEARING:
        text = f"field-level security hides {remote}.{column}"
        return Finding("error", where, text, f"{GRANT}; until then the stream is off")
    return Finding("warning", where, f"{remote}.{column} is hidden: what it fills stays unknown", GRANT)


def _hidden(reader: Reader, stream: Stream, seen: Description) -> list[str]:
    columns = reader.columns(stream)
    if CURRENCY in columns and reader.currencies.corporate() is None:
        columns.remove(CURRENCY)
    return [column for column in columns if not seen.has(column)]


def _quotas(api: SalesforceApi, connection: SalesforceSettings) -> Iterator[Finding]:
    where, remote = "stream target", connection.quota_object or "ForecastingQuota"
    try:
        if not api.query(soql.select(["COUNT()"], remote))["totalSize"]:
            yield Finding("warning", where, "no quota is visible", "grant View All Forecasts, or import targets")
            return
        if connection.quota_object or connection.forecasting_type:
            return
        types = list(api.rows("SELECT Id, MasterLabel FROM ForecastingType WHERE IsActive = true"))
    except RejectedError as error:
        if error.code != "INVALID_TYPE":
            raise
        return  # said by the stream's own finding
    if len(types) > 1:
        names = ", ".join(f"{row['MasterLabel']} ({row['Id']})" for row in types)
        yield Finding(
            "warning",
            where,
            f"several forecast types are active: {names}",
            "name the one that counts in forecasting_type",
        )


def _split_types(api: SalesforceApi) -> Iterator[Finding]:
    whole = "SELECT MasterLabel FROM OpportunitySplitType WHERE IsActive = true AND IsTotalValidated = true"
    try:
        names = [str(row["MasterLabel"]) for row in api.rows(whole)]
    except RejectedError:
        return  # said by the stream's own finding
    if len(names) > 1:
        yield Finding(
            "warning",
            "stream split",
            f"several split types share out the whole of a deal: {', '.join(names)}",
            "deactivate all but one, or switch the stream off: else a deal is credited more than once",
        )


def _owner_history(api: SalesforceApi) -> Iterator[Finding]:
    try:
        rows = api.query("SELECT COUNT() FROM OpportunityFieldHistory WHERE Field = 'Owner'")["totalSize"]
    except RejectedError:
        return  # said by the stream's own finding
    if not rows:
        yield Finding(
            "info",
            "stream field_history",
            "no owner change is recorded",
            "Setup > Object Manager > Opportunity > Fields & Relationships > Set History Tracking > Opportunity Owner",
        )


def _write_back(api: SalesforceApi, connection: SalesforceSettings) -> Iterator[Finding]:
    for record, target in connection.write_back.items():
        keyed = isinstance(target, KeyedWriteBack)
        into = target.into if isinstance(target, KeyedWriteBack) else None
        remote = remote_object(WriteTarget(record, into))
        where = f"write_back.{record}"
        seen = api.describe(remote)
        names = [*target.fields, target.key] if isinstance(target, KeyedWriteBack) else list(target)
        bad = [name for name in names if seen is None or not seen.fields.get(name, {}).get("updateable")]
        if bad:
            yield Finding(
                "error",
                where,
                f"{remote}: {', '.join(bad)} not there or not editable",
                "run scoreback provision, or grant Edit",
            )
        elif keyed and seen is not None and not seen.fields[names[-1]].get("externalId"):
            yield Finding(
                "error", where, f"{remote}.{names[-1]} is no external id", "mark it External ID and Unique in Setup"
            )
        else:
            yield Finding("ok", where, f"{remote}: every field is editable")
