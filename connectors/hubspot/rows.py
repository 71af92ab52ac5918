"""HubSpot's rows as ``Raw`` rows: properties flattened, and the "@" paths that take more than one property to know."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from connectors.records import OPEN_END
from connectors.types import canonical_text

Json = dict[str, Any]
Lookup = Callable[[Any], str | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CALL_AHEAD = frozenset({"CALLING_CRM_USER", "CONNECTING", "IN_PROGRESS", "QUEUED", "RINGING", "SCHEDULED"})
_EMAIL_UNSENT = frozenset({"BOUNCED", "FAILED", "SENDING"})
_SALES_GOALS = frozenset({"", "sales_quota", "revenue", "deal_revenue"})


@dataclass(frozen=True, slots=True)
class Account:
    """What holds for a whole HubSpot account."""

    portal: str
    zone: ZoneInfo
    currency: str | None


def moment(text: str) -> datetime:
    """A HubSpot time as aware UTC: ISO with or without milliseconds, with Z or an offset, or epoch milliseconds."""
    if text.lstrip("-").isdigit():
        return _EPOCH + timedelta(milliseconds=int(text))
    parsed = datetime.fromisoformat(text)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def epoch_ms(at: datetime) -> int:
    """Milliseconds since 1970, the only form of time that every search filter understands."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def between(start: datetime, end: datetime) -> list[Json]:
    """The filters of ``[start, end)``, which every search takes as epoch milliseconds and not every one as ISO."""
    return [
        {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(epoch_ms(start))},
        {"propertyName": "hs_lastmodifieddate", "operator": "LT", "value": str(epoch_ms(end))},
    ]


def archived_at(row: Json) -> datetime:
    """When a row was archived; the far future if HubSpot does not say, so that it is handed on."""
    text: Any = row.get("archivedAt")
    return moment(text) if text else datetime.max.replace(tzinfo=UTC)


@lru_cache(maxsize=4096)  # most are midnights: some hundred days of many thousand deals
def local(text: str, zone: ZoneInfo) -> str:
    """A time as ISO text in ``zone``, so that its first ten characters are the business day; a plain date as it is."""
    if text[4:5] != "-":
        return moment(text).astimezone(zone).isoformat()
    if len(text) == len("2026-01-31"):
        return text
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(zone).isoformat()


def decimal_text(text: str) -> str:
    """The one spelling of a number; a text that is none stays as it is."""
    try:
        return canonical_text(Decimal(text))
    except InvalidOperation:
        return text


def flat(row: Mapping[str, Any]) -> Json:
    """An object's properties, with its id and whether it is archived."""
    return {**row["properties"], "id": str(row["id"]), "archived": bool(row.get("archived"))}


def call(fields: Json, connected: Iterable[str]) -> None:
    """Adds when a call took or is to take place, and whether both sides spoke (its outcome says so)."""
    ahead = fields.get("hs_call_status") in _CALL_AHEAD
    fields["@planned" if ahead else "@completed"] = fields.get("hs_timestamp")
    outcome = fields.get("hs_call_disposition")
    fields["@two_way"] = outcome in connected if outcome else None


def meeting(fields: Json) -> None:
    """Adds a meeting's times. It is held once its outcome says so: a past meeting without outcome stays unknown."""
    start = fields.get("hs_meeting_start_time") or fields.get("hs_timestamp")
    end = fields.get("hs_meeting_end_time")
    outcome = fields.get("hs_meeting_outcome")
    fields["@planned"] = start
    fields["@completed"] = (end or start) if outcome == "COMPLETED" else None
    fields["@two_way"] = {"COMPLETED": True, "NO_SHOW": False, "CANCELED": False}.get(outcome or "")
    if start and end:
        fields["@duration"] = max(0, int((moment(end) - moment(start)).total_seconds()))


def email(fields: Json) -> None:
    """Adds when an e-mail was sent. One that came in shows that the other side takes part, one that went out nothing."""
    status = fields.get("hs_email_status")
    if status == "SCHEDULED":
        fields["@planned"] = fields.get("hs_timestamp")
    elif status not in _EMAIL_UNSENT:
        fields["@completed"] = fields.get("hs_timestamp")
    fields["@two_way"] = True if fields.get("hs_email_direction") == "INCOMING_EMAIL" else None


def task(fields: Json) -> None:
    """Adds a task's due time, and when it was done."""
    fields["@planned"] = fields.get("hs_timestamp")
    done = fields.get("hs_task_status") == "COMPLETED"
    fields["@completed"] = fields.get("hs_task_completion_date") if done else None


def survey(fields: Json) -> None:
    """Adds the scale of an answer. One on a scale that we have no word for (CES, custom) is no survey of ours."""
    fields["@scale"] = {"NPS": "nps", "CSAT": "csat5"}.get(fields.get("hs_survey_type") or "")
    fields["archived"] = fields["archived"] or fields["@scale"] is None


def target(fields: Json, account: Account, owner_of: Lookup, team_of: Lookup) -> None:
    """Adds whose target it is, what it measures, and its first and last day."""
    owner = fields.get("hubspot_owner_id") or owner_of(fields.get("hs_assignee_user_id"))
    team = fields.get("hs_assignee_team_id")
    fields["@subject_kind"] = "team" if not owner and team else "person"
    fields["@subject_id"] = owner or team_of(team)
    goal = fields.get("hs_goal_type") or ""
    fields["@metric"] = "bookings" if goal in _SALES_GOALS else goal
    fields["@currency"] = account.currency
    start, end = fields.get("hs_start_datetime"), fields.get("hs_end_datetime")
    if start and end:
        fields["@start"], fields["@end"] = _days(moment(start), moment(end), account.zone)


def forecast(fields: Json, account: Account, owner_of: Lookup) -> None:
    """Adds whose figure it is, who said it, and its days. A figure of a whole team is nobody's: no forecast of ours."""
    owner, by = fields.get("hubspot_owner_id"), owner_of(fields.get("hs_created_by_user_id"))
    fields["@layer"] = "rep" if by in (None, owner) else "manager"
    fields["@currency"] = account.currency
    start, end = fields.get("hs_forecast_start_date"), fields.get("hs_forecast_end_date")
    fields["archived"] = fields["archived"] or not (owner and start and end)
    if start and end:
        fields["@start"], fields["@end"] = _days(moment(start), moment(end), account.zone)


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """First and last day of a target. Bounds at midnight UTC are calendar days; others are the account's own time.

    An end at midnight on the day of the month on which the target starts is the next period's first moment.
    """
    utc = not (start - _EPOCH) % timedelta(days=1)
    first, last = (at if utc else at.astimezone(zone) for at in (start, end))
    next_period = last.day == first.day and (last.hour, last.minute, last.second) == (0, 0, 0)
    return first.date().isoformat(), (last - timedelta(days=1) if next_period else last).date().isoformat()


def person(owner: Mapping[str, Any], user: Mapping[str, Any]) -> Json:
    """An owner, with the properties of the same person's users object. The primary team is the team."""
    teams = owner.get("teams") or ()
    main = [team for team in teams if team.get("primary")] or (teams if len(teams) == 1 else [])
    name = " ".join(part for part in (owner.get("firstName"), owner.get("lastName")) if part)
    return {
        **user, **owner, "id": str(owner["id"]), "@name": name or None, "@active": not owner.get("archived"),
        "@team": main[0].get("name") if main else None,
    }  # fmt: skip


def rate(row: Mapping[str, Any], zone: ZoneInfo) -> Json:
    """An exchange rate with its first day. HubSpot names no end: a rate holds until a newer one of its pair begins."""
    return {**row, "@on": local(row["effectiveAt"], zone)[:10], "@until": OPEN_END.isoformat()}


def stages(pipelines: Iterable[Mapping[str, Any]]) -> Iterator[Json]:
    """Every stage of every pipeline."""
    for pipeline in pipelines:
        for stage in pipeline.get("stages") or ():
            metadata = stage.get("metadata") or {}
            yield {
                "id": f"{pipeline['id']}:{stage['id']}", "pipeline": str(pipeline["id"]), "stage": str(stage["id"]),
                "label": stage.get("label"), "position": stage.get("displayOrder"), "outcome": outcome(metadata),
                "probability": metadata.get("probability"),
            }  # fmt: skip


def outcome(metadata: Mapping[str, Any]) -> str | None:
    """What a stage means, from its metadata and never from its name; None if the metadata contradicts itself.

    Probability 1 is won; 0 is lost unless the stage says that it is open; anything else is open unless it says closed.
    """
    closed = str(metadata.get("isClosed", "")).lower()
    text = metadata.get("probability")
    try:
        probability = Decimal(str(text)) if text not in (None, "") else None
    except InvalidOperation:
        probability = None
    if probability == 1:
        return "won"
    if probability == 0 and closed != "false":
        return "lost"
    if closed == "true" or (probability is None and closed != "false"):
        return None
    return "open"


def losers(row: Mapping[str, Any]) -> Iterator[Json]:
    """The records that were merged into this one, as deleted rows."""
    for loser in str(row["properties"].get("hs_merged_object_ids") or "").split(";"):
        if loser:
            yield {"id": loser, "archived": True, "@winner": str(row["id"])}


def linked(found: Iterable[Mapping[str, Any]], *, every: bool) -> str | list[str] | None:
    """Which record a row belongs to, or all of them; None without any.

    Takes the rows of the list endpoint (``id``, ``type``) and of the association endpoint (``toObjectId``,
    ``associationTypes``) alike. Of several the primary one counts, else the oldest (lowest id), whatever their order.
    """
    primary: set[str] = set()
    all_ids: set[str] = set()
    for row in found:
        remote_id = str(row.get("toObjectId") or row["id"])
        all_ids.add(remote_id)
        labels = row.get("associationTypes")
        if row.get("type") == "deal_to_company" or (labels and any(one.get("label") == "Primary" for one in labels)):
            primary.add(remote_id)
    if every:
        return sorted(all_ids) or None
    return min(primary or all_ids, key=int, default=None)
