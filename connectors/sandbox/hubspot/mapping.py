"""What a world's rows are called in HubSpot: our columns to its properties. Only columns that a row has are mapped."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from connectors.sandbox.hubspot.catalog import option
from connectors.sandbox.hubspot.ids import Ids
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.values import Property, iso_short, local_midnight, parse_moment, to_ms

Row = Mapping[str, str]
Values = dict[str, str | None]

ACTIVITY_TYPES = {"call": "calls", "meeting": "meetings", "visit": "meetings", "email": "emails", "task": "tasks"}
_CONNECTED, _NO_ANSWER = "f240bbac-87c9-4f6e-bf70-924b57d47db7", "73a0d17f-1163-4015-bdd5-ec830791da20"
_FORECASTS = {
    "omitted": "OMIT", "omit": "OMIT", "pipeline": "PIPELINE", "best case": "BEST_CASE", "best_case": "BEST_CASE",
    "commit": "COMMIT", "closed": "CLOSED",
}  # fmt: skip
_DEAL_TEXTS = {
    "name": "dealname", "type": "dealtype", "source": "hs_analytics_source", "product": "product", "amount": "amount",
    "currency": "deal_currency_code", "next_step": "hs_next_step", "discount": "discount",
    "external_id": "external_id",
}  # fmt: skip
_CUSTOM = {
    "deals": ("external_id string text", "product string text", "discount number number"),
    "companies": ("region string text",),
    "users": ("region string text", "territory string text", "role string text", "manager_id string text",
              "started_on date date", "ended_on date date"),
}  # fmt: skip


def add_custom_properties(portal: Portal) -> None:
    """The custom properties this portal's admin has made for what HubSpot has no property for."""
    for plural, lines in _CUSTOM.items():
        table = portal.store.tables[plural]
        for name, kind, field_type in (line.split() for line in lines):
            table.properties[name] = Property(name, kind, field_type, name.replace("_", " ").capitalize(),
                                              next(iter(table.groups)), own=False)  # fmt: skip
    deals = portal.store.tables["deals"]
    deals.properties["hs_analytics_source"] = Property(
        "hs_analytics_source", "enumeration", "select", "Original Traffic Source", next(iter(deals.groups))
    )


def moment_ms(cell: str) -> int | None:
    """Epoch ms of an ISO moment or date; None for an empty cell."""
    return parse_moment(cell) if cell else None


class Mapper:
    """Turns rows of a world into HubSpot properties."""

    def __init__(self, portal: Portal, ids: Ids) -> None:
        self.portal = portal
        self.ids = ids
        self._offered: set[tuple[str, str]] = set()

    def deal(self, row: Row) -> Values:
        """An opportunity's properties."""
        values: Values = {theirs: row[ours] or None for ours, theirs in _DEAL_TEXTS.items() if ours in row}
        self._owner(row, values)
        if "pipeline" in row or "stage" in row:
            self._stage(row, values)
        if row.get("closed_at") or "close_on" in row:
            values["closedate"] = self.close_date(row)
        if row.get("forecast_category"):
            category = row["forecast_category"]
            values["hs_manual_forecast_category"] = _FORECASTS.get(category.lower(), category)
        for name in ("dealtype", "hs_analytics_source", "hs_manual_forecast_category"):
            self._offer("deals", name, values.get(name))
        if row.get("probability"):
            self._override(row["probability"], values)
        return values

    def close_date(self, row: Row) -> str | None:
        """``closedate``: the moment of closing, else midnight of the close date in the account's time zone."""
        cell = row.get("closed_at") or row.get("close_on") or ""
        if len(cell) == 10:
            return iso_short(local_midnight(date.fromisoformat(cell), self.portal.time_zone))
        at_ms = moment_ms(cell)
        return None if at_ms is None else iso_short(at_ms)

    def _stage(self, row: Row, values: Values) -> None:
        if row.get("pipeline"):
            known = self.ids.held.get("pipelines", {})
            values["pipeline"] = known.get(row["pipeline"], row["pipeline"])
        if row.get("stage"):
            stage = values["dealstage"] = self.stage_id(row.get("pipeline", ""), row["stage"])
            if "pipeline" not in values:
                values["pipeline"] = self._pipeline_of(stage)

    def _pipeline_of(self, stage: str) -> str | None:
        for pipeline in self.portal.pipelines["deals"].values():
            if stage in pipeline.stages:
                return pipeline.id
        return None

    def stage_id(self, pipeline: str, stage: str) -> str:
        """HubSpot's id of a world's stage; a text that is one already stays."""
        known = self.ids.held.get("stages", {})
        return known.get(f"{pipeline}/{stage}") or known.get(stage, stage)

    def _override(self, probability: str, values: Values) -> None:
        stage = self.portal.stage("deals", values.get("pipeline"), values.get("dealstage"))
        if stage is None or stage.probability is None or float(stage.probability) != float(probability):
            values["hs_deal_stage_probability"] = probability

    def company(self, row: Row) -> Values:
        """An account's properties."""
        values: Values = {name: row[name] or None for name in ("name", "industry", "region") if name in row}
        self._owner(row, values)
        self._offer("companies", "industry", values.get("industry"))
        return values

    def activity(self, row: Row) -> Values:
        """An activity's properties, by its kind."""
        values: Values = {}
        self._owner(row, values)
        if row.get("auto_logged"):
            values["hs_object_source"] = "INTEGRATION" if row["auto_logged"] == "true" else "CRM_UI"
        makers: dict[str, Callable[[Row, Values], None]] = {
            "call": _call, "meeting": _meeting, "visit": _meeting, "email": _email, "task": _task,
        }  # fmt: skip
        makers[row["kind"]](row, values)
        if row["kind"] == "visit":
            values["hs_activity_type"] = "Visit"
        if ACTIVITY_TYPES[row["kind"]] == "meetings" and row.get("participant_ids"):
            known = self.ids.held.get("people", {})
            owners = [known[one] for one in row["participant_ids"].split(";") if one in known]
            values["hs_attendee_owner_ids"] = ";".join(owners) or None
        return {name: value for name, value in values.items() if value is not None}

    def goal(self, row: Row, team_ids: Mapping[str, int]) -> Values:
        """A target's properties. Slices run from midnight of the first day to the last millisecond of the last, UTC."""
        start, end = date.fromisoformat(row["period_start"]), date.fromisoformat(row["period_end"])
        days = (end - start).days + 1
        metric = row.get("metric") or "bookings"
        values: Values = {
            "hs_goal_name": f"{metric} {start} to {end}",
            "hs_target_amount": row.get("amount") or None,
            "hs_start_datetime": f"{start}T00:00:00Z",
            "hs_end_datetime": f"{end}T23:59:59.999Z",
            "hs_goal_type": "sales_quota" if metric == "bookings" else metric,
            "hs_milestone": "monthly" if days <= 31 else "quarterly" if days <= 98 else "yearly",
        }
        subject = row.get("subject_id", "")
        owner = self.portal.owners.get(self.ids.find("people", subject) or 0)
        if (row.get("subject_kind") or "person") == "person" and owner:
            values["hubspot_owner_id"] = str(owner.id)
            values["hs_assignee_user_id"] = str(owner.user_id)
        elif row.get("subject_kind") == "team" and subject in team_ids:
            values["hs_assignee_team_id"] = str(team_ids[subject])
        return values

    def feedback(self, row: Row) -> Values:
        """An answered survey's properties."""
        nps = row.get("scale") == "nps"
        score = float(row["answer"])
        good, fair = (9.0, 7.0) if nps else (4.0, 3.0)
        return {
            "hs_survey_id": "1" if nps else "2",
            "hs_survey_name": "Customer loyalty" if nps else "Customer satisfaction",
            "hs_survey_type": "NPS" if nps else "CSAT",
            "hs_survey_channel": "EMAIL",
            "hs_value": row["answer"],
            "hs_response_group": "PROMOTER" if score >= good else "PASSIVE" if score >= fair else "DETRACTOR",
            "hs_submission_timestamp": iso_short(moment_ms(row.get("answered_at") or row.get("sent_at") or "") or 0),
            "hubspot_owner_id": self._owner_text(row.get("person_id", "")),
        }

    def _owner(self, row: Row, values: Values) -> None:
        if "owner_id" in row:
            values["hubspot_owner_id"] = self._owner_text(row["owner_id"])

    def _owner_text(self, person: str) -> str | None:
        owner = self.ids.find("people", person) if person else None
        return None if owner is None else str(owner)

    def _offer(self, plural: str, name: str, value: str | None) -> None:
        """Adds a value to an enumeration's options if the portal does not have it."""
        if value is None or (name, value) in self._offered:
            return
        self._offered.add((name, value))
        prop = self.portal.store.tables[plural].properties[name]
        if all(one["value"] != value for one in prop.options):
            prop.options.append(option(value, len(prop.options), value))


def _subject(row: Row, kind: str) -> str:
    """Equal subjects stay equal: the world only has their hashes."""
    return f"{kind} {row['subject_hash']}" if row.get("subject_hash") else kind


def _when(row: Row, *names: str) -> str | None:
    for name in names:
        at_ms = moment_ms(row.get(name, ""))
        if at_ms is not None:
            return iso_short(at_ms)
    return None


def _call(row: Row, values: Values) -> None:
    values["hs_timestamp"] = _when(row, "completed_at", "planned_at", "created_at")
    values["hs_call_title"] = _subject(row, "Call")
    values["hs_call_direction"] = row.get("direction", "").upper() or None
    values["hs_call_status"] = "COMPLETED" if row.get("completed_at") else "QUEUED"
    if row.get("duration_seconds"):
        values["hs_call_duration"] = str(int(row["duration_seconds"]) * 1000)
    if row.get("two_way") and row.get("completed_at"):
        values["hs_call_disposition"] = _CONNECTED if row["two_way"] == "true" else _NO_ANSWER


def _meeting(row: Row, values: Values) -> None:
    start = _when(row, "planned_at", "completed_at", "created_at")
    values["hs_timestamp"] = values["hs_meeting_start_time"] = start
    values["hs_meeting_title"] = _subject(row, "Meeting")
    values["hs_meeting_outcome"] = "COMPLETED" if row.get("completed_at") else "SCHEDULED"
    end = _when(row, "completed_at")
    if (
        start
        and (end is None or (parse_moment(end) or 0) <= (parse_moment(start) or 0))
        and row.get("duration_seconds")
    ):
        later = datetime.fromisoformat(start) + timedelta(seconds=int(row["duration_seconds"]))
        end = iso_short(to_ms(later))
    values["hs_meeting_end_time"] = end


def _email(row: Row, values: Values) -> None:
    values["hs_timestamp"] = _when(row, "completed_at", "planned_at", "created_at")
    values["hs_email_subject"] = _subject(row, "Re:")
    values["hs_email_status"] = "SENT"
    if row.get("direction"):
        values["hs_email_direction"] = "INCOMING_EMAIL" if row["direction"] == "inbound" else "EMAIL"


def _task(row: Row, values: Values) -> None:
    values["hs_timestamp"] = _when(row, "planned_at", "created_at")
    values["hs_task_subject"] = _subject(row, "Task")
    values["hs_task_type"] = "TODO"
    values["hs_task_status"] = "COMPLETED" if row.get("completed_at") else "NOT_STARTED"
    values["hs_task_completion_date"] = _when(row, "completed_at")
