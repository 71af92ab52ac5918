"""A portal: the rows, and what stands around them - pipelines, owners, teams, currencies, the clock - and what HubSpot
computes from all of that."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.hubspot.links import CHILD_TO_PARENT, Links
from connectors.sandbox.hubspot.search import Index
from connectors.sandbox.hubspot.store import Store, Table, Thing
from connectors.sandbox.hubspot.values import iso, parse_moment, parse_number

_DAY_MS = 86_400_000


@dataclass
class Stage:
    """One stage. ``metadata`` holds texts: probability and isClosed for deals, ticketState for tickets."""

    id: str
    label: str
    order: int
    metadata: dict[str, str]
    created_ms: int = 0
    updated_ms: int = 0
    archived: bool = False

    @property
    def probability(self) -> str | None:
        """0.0 to 1.0 as text."""
        return self.metadata.get("probability")

    @property
    def closed(self) -> bool:
        """Whether deals or tickets here are done."""
        return self.metadata.get("isClosed") == "true" or self.metadata.get("ticketState") == "CLOSED"

    @property
    def won(self) -> bool:
        """Closed at probability 1."""
        return self.closed and parse_number(self.probability) == 1

    @property
    def lost(self) -> bool:
        """Closed at probability 0."""
        return self.closed and parse_number(self.probability) == 0


@dataclass
class Pipeline:
    """Stages in their order, by id, and the record of who changed what."""

    id: str
    label: str
    order: int
    stages: dict[str, Stage] = field(default_factory=dict)
    created_ms: int = 0
    updated_ms: int = 0
    archived: bool = False
    audit: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Owner:
    """One who may own records: owner id, user id and the id of the users object are three different numbers."""

    id: int
    user_id: int
    user_record: int
    email: str | None
    first: str | None
    last: str | None
    created_ms: int
    updated_ms: int
    team_ids: list[int] = field(default_factory=list)
    archived: bool = False


@dataclass
class Rate:
    """1 ``source`` = ``rate`` ``target`` since ``since_ms``."""

    id: int
    source: str
    target: str
    rate: Decimal
    since_ms: int


@dataclass
class Split:
    """A share of a deal's credit; ``percentage`` is a fraction as text."""

    id: int
    owner_id: int
    percentage: str
    created_ms: int


@dataclass
class RequiredRule:
    """An admin's rule that 2026-09 enforces on API writes: rows where ``when`` holds need values in ``needs``."""

    plural: str
    when: dict[str, str]
    needs: tuple[str, ...]


class Portal:
    """The state that every handler reads and writes, under the emulator's lock."""

    def __init__(self, now: Callable[[], datetime], *, time_zone: str, currency: str) -> None:
        self.now = now
        self.portal_id = 62515
        self.time_zone = ZoneInfo(time_zone)
        self.currency = currency
        self.store = Store()
        self.links = Links()
        self.index = Index()
        self.pipelines: dict[str, dict[str, Pipeline]] = {"deals": {}, "tickets": {}}
        self.owners: dict[int, Owner] = {}
        self.teams: dict[int, str] = {}
        self.rates: list[Rate] = []
        self.splits: dict[int, list[Split]] = {}
        self.schemas: dict[str, dict[str, Any]] = {}
        self.rules: list[RequiredRule] = []
        self.index_lag_seconds = 0.0
        self._by_source: dict[str, list[Rate]] = {}
        self._rated = 0
        self._last_id = 10_000_000_000
        self._compute()

    def full_name(self, name: str) -> str:
        """A custom object's name with the portal's id in front."""
        return f"p{self.portal_id}_{name}"

    def now_ms(self) -> int:
        """The server's clock as epoch ms."""
        return int(self.now().timestamp() * 1000)

    def new_id(self) -> int:
        """An id no row has yet."""
        self._last_id += 1
        return self._last_id

    def deal_stage(self, deal: Thing) -> Stage | None:
        """Where a deal stands."""
        return self.stage("deals", deal.props.get("pipeline"), deal.props.get("dealstage"))

    def stage(self, plural: str, pipeline: str | None, stage: str | None) -> Stage | None:
        """One stage of one pipeline."""
        found = self.pipelines.get(plural, {}).get(pipeline or "")
        return found.stages.get(stage or "") if found else None

    def rate(self, currency: str, at_ms: int) -> Decimal | None:
        """Home currency for one unit at a time; None where nobody entered a rate."""
        if currency == self.currency:
            return Decimal(1)
        if self._rated != len(self.rates):
            self._rated = len(self.rates)
            self._by_source = {}
            for rate in sorted(self.rates, key=lambda one: one.since_ms):
                if rate.target == self.currency:
                    self._by_source.setdefault(rate.source, []).append(rate)
        dated = self._by_source.get(currency)
        if not dated:
            return None
        return dated[max(0, bisect_right(dated, at_ms, key=lambda one: one.since_ms) - 1)].rate

    def currencies(self) -> list[str]:
        """Currencies beside the company's own."""
        return sorted({rate.source for rate in self.rates} - {self.currency})

    def midnight_ms(self) -> int:
        """When the portal's day ends: the next midnight in its time zone."""
        today = self.now().astimezone(self.time_zone).date()
        return int(datetime.combine(date.fromordinal(today.toordinal() + 1), datetime.min.time(), self.time_zone)
                   .astimezone(UTC).timestamp() * 1000)  # fmt: skip

    def lag(self, plural: str, thing: Thing, before: Thing | None) -> None:
        """Remembers what the search index still shows of a row that changes now."""
        if self.index_lag_seconds:
            self.store.tables[plural].lagging.setdefault(thing.id, (self.now_ms(), before))

    def catch_up(self, plural: str) -> None:
        """Lets the index see the rows whose time has come."""
        lagging = self.store.tables[plural].lagging
        due = self.now_ms() - int(self.index_lag_seconds * 1000)
        for one in [one for one, (since, _) in lagging.items() if since <= due]:
            del lagging[one]

    def compute_common(self, table: Table) -> None:
        """What is computed for rows of every type."""
        table.calculated["hubspot_team_id"] = self._team_of
        table.calculated["hs_object_source"] = lambda thing: thing.source.kind
        table.calculated["hs_object_source_label"] = lambda thing: thing.source.kind

    def _compute(self) -> None:
        for table in self.store:
            self.compute_common(table)
        deals = self.store.tables["deals"].calculated
        deals["hs_is_closed"] = lambda deal: _flag(self.deal_stage(deal), "closed")
        deals["hs_is_closed_won"] = lambda deal: _flag(self.deal_stage(deal), "won")
        deals["hs_is_closed_lost"] = lambda deal: _flag(self.deal_stage(deal), "lost")
        deals["hs_deal_stage_probability"] = self._probability
        deals["amount_in_home_currency"] = self._home_amount
        deals["hs_forecast_amount"] = deals["amount_in_home_currency"]
        deals["hs_projected_amount"] = self._projected
        deals["days_to_close"] = self._days_to_close
        deals["hubspot_owner_assigneddate"] = _assigned
        deals["num_associated_contacts"] = lambda deal: self._count("deals", deal, "contacts")
        deals["hs_num_associated_deal_splits"] = self._split_count
        companies = self.store.tables["companies"].calculated
        companies["num_associated_deals"] = lambda company: self._count("companies", company, "deals")
        companies["hs_parent_company_id"] = self._parent
        self.store.tables["line_items"].calculated["amount"] = _line_amount

    def _team_of(self, thing: Thing) -> str | None:
        owner = self.owners.get(int(thing.props.get("hubspot_owner_id") or 0))
        return str(owner.team_ids[0]) if owner and owner.team_ids else None

    def _probability(self, deal: Thing) -> str | None:
        stage = self.deal_stage(deal)
        return stage.probability if stage else None

    def _home_amount(self, deal: Thing) -> str | None:
        currency = deal.props.get("deal_currency_code")
        if currency is None or currency == self.currency:
            return deal.props.get("amount")
        amount = parse_number(deal.props.get("amount"))
        closing = parse_moment(deal.props.get("closedate") or "") or deal.updated
        rate = self.rate(currency, closing)
        return None if amount is None or rate is None else _plain(amount * rate)

    def _projected(self, deal: Thing) -> str | None:
        amount = parse_number(deal.props.get("amount"))
        chance = parse_number(deal.props.get("hs_deal_stage_probability") or self._probability(deal))
        return None if amount is None or chance is None else _plain(amount * chance)

    def _days_to_close(self, deal: Thing) -> str | None:
        stage = self.deal_stage(deal)
        closing = parse_moment(deal.props.get("closedate") or "")
        if stage is None or not stage.closed or closing is None:
            return None
        return str(max(0, closing - deal.created) // _DAY_MS)

    def _count(self, plural: str, thing: Thing, other: str) -> str:
        tables = self.store.tables
        return str(len(self.links.of(tables[plural], thing.id, tables[other])))

    def _split_count(self, deal: Thing) -> str | None:
        """Empty until a deal has had splits."""
        return str(len(self.splits[deal.id])) if deal.id in self.splits else None

    def _parent(self, company: Thing) -> str | None:
        companies = self.store.tables["companies"]
        for other, labels in self.links.of(companies, company.id, companies).items():
            if any(label.type_id == CHILD_TO_PARENT for label in labels):
                return str(other)
        return None


def _flag(stage: Stage | None, name: str) -> str:
    return "true" if stage is not None and getattr(stage, name) else "false"


def _plain(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _assigned(deal: Thing) -> str | None:
    versions = deal.versions("hubspot_owner_id")
    return iso(versions[-1].at_ms) if versions else None


def _line_amount(item: Thing) -> str | None:
    price, quantity = parse_number(item.props.get("price")), parse_number(item.props.get("quantity"))
    return None if price is None or quantity is None else _plain(round(price * quantity, 2))
