"""Object types and their properties as a new portal has them: names, type ids, HubSpot's own property definitions."""

from dataclasses import dataclass

from connectors.sandbox.hubspot.commerce import COMMERCE, COMMERCE_OPTIONS
from connectors.sandbox.hubspot.values import Property


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One kind of CRM object. ``defaults``: what an answer holds when no properties were asked for."""

    plural: str
    singular: str
    type_id: str
    defaults: tuple[str, ...]
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    required: tuple[str, ...] = ()
    read_scopes: tuple[str, ...] = ("crm.objects.contacts.read",)
    write_scopes: tuple[str, ...] = ("crm.objects.contacts.write",)
    read_only: bool = False
    mergeable: bool = False
    history: int = 20
    """How many versions of a property an answer holds at most."""


def _crm(plural: str, singular: str, type_id: str, defaults: str, **more: object) -> ObjectType:
    scopes = {
        "read_scopes": (f"crm.objects.{plural}.read",),
        "write_scopes": (f"crm.objects.{plural}.write",),
    }
    return ObjectType(plural, singular, type_id, tuple(defaults.split()), **{**scopes, **more})  # type: ignore[arg-type] # a table of keyword arguments


def _activity(plural: str, singular: str, type_id: str) -> ObjectType:
    return ObjectType(plural, singular, type_id, ("hs_timestamp",), required=("hs_timestamp",))


TYPES: dict[str, ObjectType] = {
    one.plural: one
    for one in (
        _crm("contacts", "contact", "0-1", "email firstname lastname", created="createdate",
             modified="lastmodifieddate", mergeable=True, history=45),
        _crm("companies", "company", "0-2", "domain name", created="createdate", mergeable=True),
        _crm("deals", "deal", "0-3", "amount closedate dealname dealstage pipeline", created="createdate",
             required=("dealname", "dealstage"), mergeable=True),
        _crm("tickets", "ticket", "0-5", "content hs_pipeline hs_pipeline_stage hs_ticket_priority subject",
             created="createdate", required=("subject", "hs_pipeline_stage"), mergeable=True,
             read_scopes=("tickets",), write_scopes=("tickets",)),
        _crm("products", "product", "0-7", "name price"),
        _crm("line_items", "line_item", "0-8", "amount quantity", created="createdate"),
        _activity("notes", "note", "0-46"),
        _activity("meetings", "meeting", "0-47"),
        _activity("calls", "call", "0-48"),
        _activity("emails", "email", "0-49"),
        _activity("tasks", "task", "0-27"),
        _crm("feedback_submissions", "feedback_submission", "0-19", "", read_only=True),
        _crm("goal_targets", "goal_target", "0-74", "", read_scopes=("crm.objects.goals.read",),
             write_scopes=("crm.objects.goals.write",)),
        _crm("users", "user", "0-115", ""),
        _crm("invoices", "invoice", "0-53", "", required=("hs_currency",)),
        _crm("commerce_payments", "commerce_payment", "0-101", "", required=("hs_initial_amount", "hs_initiated_date"),
             read_scopes=("crm.objects.commercepayments.read",), write_scopes=("crm.objects.commercepayments.write",)),
        _crm("subscriptions", "subscription", "0-69", ""),
        _crm("forecasts", "forecast", "forecasts", "", read_only=True),  # HubSpot does not publish its number
    )
}  # fmt: skip
"""HubSpot's own object types by plural name."""

_COMMON = """
hs_object_id number number Record ID !
hubspot_owner_id enumeration select Owner @
hubspot_team_id enumeration select Team !
hs_created_by_user_id number number Created by user ID !
hs_object_source enumeration select Record source !
hs_object_source_label enumeration select Record source label !
hs_merged_object_ids enumeration checkbox Merged record IDs !
"""

_OWN = {
    "deals": """
dealname string text Deal Name
amount number number Amount
amount_in_home_currency number number Amount in company currency !
deal_currency_code enumeration select Currency ?
pipeline enumeration select Pipeline ?
dealstage enumeration radio Deal Stage ?
closedate datetime date Close Date
hubspot_owner_assigneddate datetime date Owner assigned date !
dealtype enumeration radio Deal Type ?
description string textarea Deal Description
hs_is_closed bool booleancheckbox Is Deal Closed? !
hs_is_closed_won bool booleancheckbox Is Closed Won !
hs_is_closed_lost bool booleancheckbox Is Closed Lost !
hs_deal_stage_probability number number Deal probability
hs_forecast_amount number number Forecast amount !
hs_forecast_probability number number Forecast probability
hs_manual_forecast_category enumeration select Forecast category ?
hs_projected_amount number number Weighted amount !
days_to_close number number Days to close !
closed_lost_reason string textarea Closed Lost Reason
closed_won_reason string textarea Closed Won Reason
num_associated_contacts number number Number of Associated Contacts !
hs_num_associated_deal_splits number number Number of Deal Splits !
num_notes number number Number of Sales Activities !
notes_last_contacted datetime date Last Contacted !
hs_next_step string text Next step
hs_all_collaborator_owner_ids enumeration checkbox Deal Collaborator @
hs_priority enumeration select Priority ?
""",
    "companies": """
name string text Company name
domain string text Company Domain Name
industry enumeration select Industry ?
annualrevenue number number Annual Revenue
numberofemployees number number Number of Employees
country string text Country/Region
city string text City
state string text State/Region
hs_parent_company_id number number Parent Company !
lifecyclestage enumeration radio Lifecycle Stage ?
num_associated_deals number number Number of Associated Deals !
""",
    "contacts": """
email string text Email ^
firstname string text First Name
lastname string text Last Name
company string text Company Name
jobtitle string text Job Title
phone string phonenumber Phone Number
lifecyclestage enumeration radio Lifecycle Stage ?
""",
    "tickets": """
subject string text Ticket name
content string textarea Ticket description
hs_pipeline enumeration select Pipeline ?
hs_pipeline_stage enumeration select Ticket status ?
hs_ticket_priority enumeration select Priority ?
closed_date datetime date Close date
time_to_close number number Time to close !
time_to_first_agent_reply number number Time to first agent email reply !
""",
    "line_items": """
name string text Name
quantity number number Quantity
price number number Unit price
amount number number Net price !
hs_product_id string text Product ID
hs_sku string text SKU
hs_line_item_currency_code enumeration select Currency ?
hs_recurring_billing_period string text Term
""",
    "notes": """
hs_timestamp datetime date Activity date
hs_note_body string html Note body
""",
    "calls": """
hs_timestamp datetime date Activity date
hs_call_title string text Call Title
hs_call_body string html Call notes
hs_call_direction enumeration select Call direction ?
hs_call_duration number number Call duration
hs_call_disposition enumeration select Call outcome ?
hs_call_status enumeration select Call status ?
hs_activity_type enumeration select Call and meeting type ?
""",
    "meetings": """
hs_timestamp datetime date Activity date
hs_meeting_title string text Meeting name
hs_meeting_body string html Meeting description
hs_meeting_start_time datetime date Meeting start time
hs_meeting_end_time datetime date Meeting end time
hs_meeting_outcome enumeration select Meeting outcome ?
hs_attendee_owner_ids enumeration checkbox Attendee owners @
hs_activity_type enumeration select Call and meeting type ?
""",
    "emails": """
hs_timestamp datetime date Activity date
hs_email_direction enumeration select Email direction ?
hs_email_status enumeration select Email send status ?
hs_email_subject string text Email subject
hs_email_text string textarea Email body
hs_email_html string html Email body HTML
""",
    "tasks": """
hs_timestamp datetime date Due date
hs_task_subject string text Task Title
hs_task_body string html Task notes
hs_task_status enumeration select Task status ?
hs_task_type enumeration select Task type ?
hs_task_priority enumeration select Priority ?
hs_task_completion_date datetime date Completed at
""",
    "feedback_submissions": """
hs_survey_id number number Survey ID !
hs_survey_name string text Survey name !
hs_survey_type enumeration select Survey type ?!
hs_survey_channel enumeration select Survey channel ?!
hs_value number number Rating !
hs_response_group enumeration select Response group ?!
hs_sentiment enumeration select Sentiment ?!
hs_content string textarea Response !
hs_submission_timestamp datetime date Date submitted !
""",
    "goal_targets": """
hs_goal_name string text Goal name
hs_target_amount number number Target amount
hs_start_datetime datetime date Start date
hs_end_datetime datetime date End date
hs_assignee_user_id number number Assignee user ID
hs_assignee_team_id number number Assignee team ID
hs_goal_type string text Goal type
hs_milestone string text Milestone
hs_pipeline_ids string text Pipelines
hs_group_correlation_uuid string text Group
hs_goal_target_group_id number number Goal target group ID
""",
    "users": """
hs_email string text Email !^
hs_given_name string text First name !
hs_family_name string text Last name !
hs_internal_user_id number number Internal user ID !^
hs_job_title string text Job title
hs_deactivated bool booleancheckbox Deactivated !
""",
    **COMMERCE,
}

OPTIONS: dict[str, tuple[str, ...]] = {
    "deal_currency_code": (),
    "dealtype": ("newbusiness", "existingbusiness"),
    "hs_manual_forecast_category": ("OMIT", "PIPELINE", "BEST_CASE", "COMMIT", "CLOSED"),
    "hs_priority": ("low", "medium", "high"),
    "industry": (
        "BANKING", "COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "INFORMATION_TECHNOLOGY_AND_SERVICES",
        "MACHINERY", "MANAGEMENT_CONSULTING", "RETAIL", "TELECOMMUNICATIONS",
    ),
    "lifecyclestage": ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"),
    "hs_ticket_priority": ("LOW", "MEDIUM", "HIGH", "URGENT"),
    "hs_call_direction": ("INBOUND", "OUTBOUND"),
    "hs_call_disposition": (
        "f240bbac-87c9-4f6e-bf70-924b57d47db7", "73a0d17f-1163-4015-bdd5-ec830791da20",
        "9d9162e7-6cf3-4944-bf63-4dff82258764", "b2cf5968-551e-4856-9783-52b3da59a7d0",
        "a4c4c377-d246-4b32-a13b-75a56a4cd0ff", "17b47fee-58de-441e-a44c-c6300d46f273",
    ),
    "hs_call_status": ("BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED", "IN_PROGRESS",
                       "NO_ANSWER", "QUEUED", "RINGING"),
    "hs_activity_type": (),
    "hs_meeting_outcome": ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"),
    "hs_email_direction": ("EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"),
    "hs_email_status": ("BOUNCED", "FAILED", "SCHEDULED", "SENDING", "SENT"),
    "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED", "COMPLETED"),
    "hs_task_type": ("CALL", "EMAIL", "TODO"),
    "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
    "hs_survey_type": ("NPS", "CSAT", "CES", "CUSTOM"),
    "hs_survey_channel": ("EMAIL", "WEB"),
    "hs_response_group": ("PROMOTER", "PASSIVE", "DETRACTOR"),
    "hs_sentiment": ("POSITIVE", "NEUTRAL", "NEGATIVE"),
    **COMMERCE_OPTIONS,
}  # fmt: skip
"""Options of HubSpot's enumerations. The four dispositions and more that a portal adds are options like these."""


def standard_properties(plural: str) -> dict[str, Property]:
    """A new portal's properties of one object type, by name."""
    kind = TYPES.get(plural)
    created, modified = (kind.created, kind.modified) if kind else ("hs_createdate", "hs_lastmodifieddate")
    stamps = f"\n{created} datetime date Create Date !\n{modified} datetime date Last Modified Date !"
    lines = (_COMMON + _OWN.get(plural, "") + stamps).strip().splitlines()
    group = f"{kind.singular.replace('_', '')}information" if kind else f"{plural}_information"
    return {prop.name: prop for prop in (_parse(line, group) for line in lines if line)}


def _parse(line: str, group: str) -> Property:
    """``name type fieldType Label`` with marks at the end: ! read-only, ^ unique, @ owners as options, ? options."""
    name, kind, field_type, label = line.split(" ", 3)
    words = label.split(" ")
    marks = words.pop() if set(words[-1]) <= set("!^@?") else ""
    if kind == "enumeration" and not marks:
        marks = "?"
    return Property(
        name,
        kind,
        field_type,
        " ".join(words),
        group,
        options=[option(value, at) for at, value in enumerate(OPTIONS.get(name, ()))],
        read_only="!" in marks,
        calculated="!" in marks and kind in ("number", "bool", "datetime"),
        unique="^" in marks,
        owner_picker="@" in marks,
    )


def option(value: str, position: int, label: str | None = None) -> dict[str, object]:
    """One option of an enumeration."""
    shown = label or value.replace("_", " ").capitalize()
    return {"label": shown, "value": value, "displayOrder": position, "hidden": False, "description": ""}
