"""Fxiaoke's rows as rows of our mapping: each field in our types, and the ``@`` paths that take more than one field."""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from connectors.base import Stream
from connectors.errors import ContractError
from connectors.fxiaoke import values
from connectors.fxiaoke.api import COMPANY, SYSTEM_TYPES, Row
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.streams import ACTIVITY_KINDS, DEAL, EITHER, MONTH_VALUES, OUTCOMES, YEAR_VALUE
from connectors.mapping import paths_of, sources

Fields = Mapping[str, Mapping[str, Any]]
"""Of each field its type, and of selections the label by value: what is kept of a description."""

_RAW = frozenset({"sales_stage", "sales_process_id", "life_status", "goal_type"})
"""Selections of which the value is kept: it stays when somebody renames the label."""

_KEPT_AS_VALUE = ("stage", "pipeline")
"""Our fields that hold an option's value, not its label: they tell records apart."""

_SHARES = ("probability", "discount")
"""Our fields that are fractions, whatever type the tenant's field has."""

_IDS = values.PEOPLE | values.SELECTIONS | {"object_reference", "object_reference_many", "master_detail"}
"""Types whose values are ids, or lists of them."""

_PERSON_GOAL = ("2", "人员", "Person", "Personnel")
_NOON = time(12)
_YEAR = re.compile(r"[12]\d{3}")


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a row needs to know of others: the deal of an order, the name of a department."""

    deal_of_order: Callable[[str], str | None]
    department: Callable[[str], str | None]


class Shaper:
    """Makes rows of one stream ready for its mapping."""

    def __init__(
        self,
        stream: Stream,
        fields: Fields,
        settings: FxiaokeSettings,
        lookups: Lookups,
    ) -> None:
        self._stream = stream.name
        self._fields = fields
        self._settings = settings
        self._zone = settings.zone
        self._lookups = lookups
        self._raw = _RAW | _columns(stream, settings, _KEPT_AS_VALUE)
        self._shares = _columns(stream, settings, _SHARES)
        self._makers: dict[str, Callable[[Row, Row], None]] = {
            "opportunity": self._deal,
            "line_item": self._line_item,
            "follow_up": self._follow_up,
            "meeting": self._meeting,
            "visit": self._visit,
            "payment": self._payment,
            **dict.fromkeys(("refund", "invoice"), self._of_order),
        }

    def shaped(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows in our types, with their ``@`` paths; a goal becomes a row for each month."""
        for row in rows:
            shaped = {name: self._read(name, value) for name, value in row.items()}
            shaped["@deleted"] = row.get("is_deleted") is True or row.get("life_status") == "invalid"
            if self._stream == "target":
                yield from self._goal(row, shaped)
                continue
            make = self._makers.get(self._stream)
            if make is not None:
                make(row, shaped)
            yield shaped

    def _read(self, name: str, value: Any) -> Any:
        known = self._fields.get(name, {})
        kind, options = known.get("type") or SYSTEM_TYPES.get(name, "text"), known.get("options", {})
        if isinstance(value, Mapping) and kind in _IDS:  # as text it would pass for an id
            raise ContractError(f"{self._stream}: {name} comes as an object, and describe calls it {kind}", str(value))
        if name == "mc_currency":
            return values.currency(value, options)
        if name in self._raw and kind in values.SELECTIONS:
            return value
        if name in self._shares and kind != "percentile":
            return values.share(value)
        return values.read(value, kind, options, self._zone)

    def _meaning(self, column: str, value: Any, own: Mapping[str, Any], usual: Mapping[str, Any]) -> Any:
        """What an option means: by its value or label in the connection file, else by the label that Fxiaoke ships."""
        if isinstance(value, list) and len(value) == 1:
            value = value[0]  # a selection of several with one chosen
        if not isinstance(value, str):
            return value  # nothing, or of another type than ever before: the record refuses that
        label = self._fields.get(column, {}).get("options", {}).get(value, value)
        return own.get(value) or own.get(label) or usual.get(label.casefold())

    def _deal(self, row: Row, shaped: Row) -> None:
        outcome = self._meaning("sales_status", row.get("sales_status"), self._settings.outcomes, OUTCOMES)
        shaped["@outcome"] = outcome
        shaped["@closed_at"] = shaped.get("stg_changed_time") if outcome not in (None, "open") else None

    def _line_item(self, row: Row, shaped: Row) -> None:
        shaped["@product"] = values.name_of(row.get("product_id__r")) or row.get("product_id")

    def _follow_up(self, row: Row, shaped: Row) -> None:
        own = self._settings.activity_kinds
        shaped["@kind"] = (
            self._meaning("interactive_types", row.get("interactive_types"), own, ACTIVITY_KINDS) or "task"
        )
        self._links(row, shaped)
        shaped["@opportunity_id"] = row.get("new_opportunity_id") or shaped["@opportunity_id"]
        shaped["@account_id"] = row.get("account_id") or shaped["@account_id"]

    def _meeting(self, row: Row, shaped: Row) -> None:
        self._links(row, shaped)
        begin, end = shaped.get("begin_time"), shaped.get("end_time")
        shaped["@duration"] = None
        if isinstance(begin, datetime) and isinstance(end, datetime):
            shaped["@duration"] = max(0, int((end - begin).total_seconds()))

    def _visit(self, row: Row, shaped: Row) -> None:
        self._links(row, shaped)
        on = shaped.get("new_stat_date")
        noon = datetime.combine(on, _NOON, self._zone).astimezone(UTC) if isinstance(on, date) else None
        shaped["@visited_at"] = shaped.get("checkin_time") or noon

    def _payment(self, row: Row, shaped: Row) -> None:
        told = (shaped.get(name) for name in EITHER["payment"])
        shaped["@amount"] = next((amount for amount in told if amount not in (None, "")), None)
        self._of_order(row, shaped)

    def _of_order(self, row: Row, shaped: Row) -> None:
        order = row.get("order_id")
        shaped["@opportunity_id"] = self._lookups.deal_of_order(str(order)) if order else None

    def _links(self, row: Row, shaped: Row) -> None:
        """The records that an activity hangs on, of several objects in one list: of each kind the first, all contacts."""
        linked: dict[str, list[str]] = {}
        listed = row.get("related_object_data")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, Mapping) and one.get("id"):
                linked.setdefault(str(one.get("describe_api_name")), []).append(str(one["id"]))
        deal = self._settings.objects.get("opportunity", DEAL)
        shaped["@opportunity_id"] = next(iter(linked.get(deal, ())), None)
        shaped["@account_id"] = next(iter(linked.get("AccountObj", ())), None)
        shaped["@contact_ids"] = linked.get("ContactObj")

    def _goal(self, row: Row, shaped: Row) -> Iterator[Row]:
        """A row for each value of a goal. A month without one withdraws the target that it may have had before."""
        common, parts = self._common(row, shaped), dict(self._parts(row, shaped))
        for name in (*MONTH_VALUES, YEAR_VALUE):
            remote_id = f"{row['_id']}:{name}"
            if name in parts:
                start, end = parts[name]
                yield {
                    **common, "@remote_id": remote_id, "@amount": shaped[name], "@period_start": start, "@period_end": end,
                }  # fmt: skip
            elif name in self._fields:
                yield {
                    "@remote_id": remote_id,
                    "@deleted": True,
                    "last_modified_time": shaped.get("last_modified_time"),
                }

    def _common(self, row: Row, shaped: Row) -> Row:
        """What all targets of a goal have alike."""
        kind, subject_id = self._subject(row.get("goal_type"), str(values.person(row.get("check_object_id"))))
        rule, detail = row.get("goal_rule_id"), row.get("goal_rule_detail_id")
        named = values.name_of(row.get("goal_rule_id__r")) or rule
        if detail:  # a part of a goal (子目标), of one product for example: taken for the whole it would be far too low
            rule, named = f"{rule}/{detail}", f"{named}/{values.name_of(row.get('goal_rule_detail_id__r')) or detail}"
        rules = self._settings.goal_rules
        metric = rules.get(str(rule)) or rules.get(str(named)) or named
        return {**shaped, "@subject_kind": kind, "@subject_id": subject_id, "@metric": metric}

    def _parts(self, row: Row, shaped: Row) -> Iterator[tuple[str, tuple[date, date]]]:
        """First and last day of each month with a value, by the value's name; of the year where no month has one.

        The fiscal year begins in the month ``fiscal_start`` of ``fiscal_year``. Nothing for a goal of nobody or of no year, nor
        for one of zeros: Fxiaoke makes a goal for everybody whom a rule concerns, to be filled in later.
        """
        if not _YEAR.fullmatch(str(row.get("fiscal_year") or "")) or row.get("check_object_id") in (None, "", []):
            return
        year, first = int(row["fiscal_year"]), self._settings.fiscal_start
        months = [(year + (place < first), place, name) for place, name in enumerate(MONTH_VALUES, start=1)]
        known = [one for one in months if shaped.get(one[2]) not in (None, "")]
        if any(shaped[name] for _, _, name in known):
            for at, month, name in known:
                yield name, (date(at, month, 1), date(at, month, monthrange(at, month)[1]))
        elif shaped.get(YEAR_VALUE):
            yield YEAR_VALUE, (date(year, first, 1), date(year + 1, first, 1) - timedelta(days=1))

    def _subject(self, goal_type: Any, subject: str) -> tuple[str, str | None]:
        label = self._fields.get("goal_type", {}).get("options", {}).get(goal_type, goal_type)
        if goal_type in _PERSON_GOAL or label in _PERSON_GOAL:
            return "person", subject
        if subject == str(COMPANY):
            return "organisation", None
        return "team", self._lookups.department(subject) or subject


def _columns(stream: Stream, settings: FxiaokeSettings, ours: Iterable[str]) -> frozenset[str]:
    """The fields that some of ours are filled from."""
    known = sources(stream, settings)
    return frozenset(path for name in ours if name in known for path in paths_of(known[name]))


def changes(row: Row) -> Iterator[Row]:
    """What a deal tells of its history: when it came into its stage, and the close date that stood when it was changed."""
    deal = row["_id"]
    entered, changed = row.get("stg_changed_time"), row.get("last_modified_time")
    if isinstance(entered, datetime) and row.get("sales_stage"):
        yield _change(deal, "stage", str(row["sales_stage"]), entered)
    closes = row.get("close_date")
    if isinstance(changed, datetime) and isinstance(closes, date):
        yield _change(deal, "close_on", closes.isoformat(), changed)


def _change(deal: str, field: str, new: str, at: datetime) -> Row:
    return {
        "remote_id": f"{deal}:{field}:{values.epoch_ms(at)}",
        "record_id": deal,
        "field": field,
        "new": new,
        "at": at,
    }
