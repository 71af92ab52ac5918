"""The columns a metric may use: what the CRMs hold, matched, mapped, converted and dated, as one set of frames.

``prepare`` looks at nothing but its arguments. Every row depends on its own records, its account family's wins, its
people, stages and rates, so a part of the company prepared alone gives the same rows as the whole.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import polars as pl

from scoring.credits import line_items_frame, split_faults, splits_frame
from scoring.deals import Ground, closed, credited, identified, related, timed, valued
from scoring.exclusion import without_excluded
from scoring.history import changes_frame
from scoring.identity import accounts_frame, match_deals, match_people, people_frame
from scoring.money import RateBook, rate_frame
from scoring.period import PLAIN, Calendar
from scoring.schemas import MONEY, SCHEMAS
from scoring.settings import MetricSettings
from scoring.stages import stage_map, unmapped
from scoring.touches import activities_frame

Tables = Mapping[str, pl.DataFrame]
"""One frame per record kind, with the columns of ``scoring.schemas``, as known at as_of. A missing kind is empty."""

Sources = Mapping[str, frozenset[str]]
"""Which record kinds each connection tells."""

DEAL_COLUMNS = (
    "deal", "connection", "remote_id", "mirrors", "name", "person", "owner", "account", "customer", "account_region",
    "industry", "team", "territory", "region", "role", "pipeline", "stage", "stage_label", "stage_position",
    "last_position", "stage_probability", "qualified", "outcome", "is_open", "is_won", "is_lost", "is_omitted",
    "is_decided", "amount", "booking", "amount_original", "currency", "rate", "rate_fault", "split_fault", "created_on",
    "close_on", "created_at", "closing_at", "entered_at", "recorded_at", "cycle_days", "type", "business", "source",
    "product", "probability", "forecast_category", "next_step", "discount", "external_id", "extra",
    "is_new_customer_win", "is_win_back", "is_new_business", "is_expansion", "age_days", "days_in_stage", "push_count",
    "push_days", "past_due_days", "days_since_activity", "days_since_meeting", "next_activity_in_days", "contacts",
    "activities_completed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Organisation:
    """What is the same for everybody. ``currency`` is the plan's where a plan names one."""

    time_zone: str = "UTC"
    currency: str = "USD"
    calendar: Calendar = PLAIN


@dataclass(frozen=True, slots=True)
class Selector:
    """Which rows of which frame a metric is over. ``day`` is the date that decides the period.

    With ``dated`` False the rows are those at as_of, whatever the period. ``kind`` is the record that must be read.
    """

    name: str
    frame: str
    day: str
    where: pl.Expr | None = None
    dated: bool = True
    kind: str = "opportunity"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at the end of ``as_of``. Money is Decimal(38, 12) in ``currency``.

    Keys are ``connection:remote_id``. ``excluded`` counts what was left out, by ``kind`` and ``reason``;
    ``unmapped_stages`` are deals without an outcome.
    """

    DEALS_CLOSED: ClassVar[Selector] = Selector(
        "deals_closed", "deals", "close_on", pl.col("is_decided") | pl.col("is_omitted")
    )
    DEALS_DUE: ClassVar[Selector] = Selector("deals_due", "deals", "close_on", pl.col("is_open"))
    DEALS_OPEN: ClassVar[Selector] = Selector("deals_open", "deals", "close_on", pl.col("is_open"), dated=False)
    DEALS_CREATED: ClassVar[Selector] = Selector("deals_created", "deals", "created_on")
    ACTIVITIES_COMPLETED: ClassVar[Selector] = Selector(
        "activities_completed", "activities", "completed_on", pl.col("completed_on").is_not_null(), kind="activity"
    )
    SELECTORS: ClassVar[tuple[Selector, ...]] = (
        DEALS_CLOSED, DEALS_DUE, DEALS_OPEN, DEALS_CREATED, ACTIVITIES_COMPLETED,
    )  # fmt: skip

    as_of: date
    organisation: Organisation
    people: pl.DataFrame
    aliases: pl.DataFrame
    accounts: pl.DataFrame
    stages: pl.DataFrame
    deals: pl.DataFrame
    line_items: pl.DataFrame
    splits: pl.DataFrame
    targets: pl.DataFrame
    activities: pl.DataFrame
    changes: pl.DataFrame
    excluded: pl.DataFrame
    unmapped_stages: pl.DataFrame
    sources: Sources

    @property
    def currency(self) -> str:
        """The currency of every amount."""
        return self.organisation.currency

    def has(self, kind: str) -> bool:
        """Whether any connection tells this record kind."""
        return any(kind in kinds for kinds in self.sources.values())


def _typed(tables: Tables) -> dict[str, pl.DataFrame]:
    """Every record kind with its own columns and types, empty where nothing was read."""
    empty = {kind: pl.DataFrame(schema=columns) for kind, columns in SCHEMAS.items()}
    return {
        kind: tables[kind].select(pl.col(name).cast(dtype) for name, dtype in SCHEMAS[kind].items())
        if kind in tables
        else frame
        for kind, frame in empty.items()
    }


def sources_of(tables: Tables) -> Sources:
    """Which kinds each connection has a row of. Meant for whole tables: a part may lack what the whole has."""
    found: dict[str, set[str]] = defaultdict(set)
    for kind, frame in tables.items():
        for connection in frame["connection"].unique():
            found[connection].add(kind)
    return {connection: frozenset(found[connection]) for connection in sorted(found)}


def prepare(
    tables: Tables,
    organisation: Organisation,
    as_of: date,
    settings: MetricSettings,
    *,
    people_map: Mapping[str, str] | None = None,
    mirrors_primary: str | None = None,
    sources: Sources | None = None,
    exclude: Mapping[str, str] | None = None,
) -> Facts:
    """Facts as known at the end of ``as_of``.

    ``people_map`` says which keys are the same person, ``mirrors_primary`` whose copy of a mirrored deal counts. A part
    of the company needs the ``sources`` of the whole: otherwise they are read off the tables. ``exclude`` names by record
    kind, in SQL over its columns, what is left out and counted. Raises ConditionError for a rule that cannot be read.
    """
    typed, ruled_out = without_excluded(_typed(tables), exclude or {})
    known = sources_of(tables) if sources is None else sources
    every = typed["opportunity"]
    matched = match_deals(every.filter(pl.col("deleted").not_(), pl.col("merged_into").is_null()), mirrors_primary)
    aliases = match_people(typed["person"], people_map)
    ground = _ground(typed, organisation, as_of, settings, aliases=aliases, matched=matched)
    activities = activities_frame(typed["activity"], matched, ground.aliases, organisation.time_zone)
    deals = _deals(typed, matched, ground, activities, _told(matched, known))
    return Facts(
        as_of=as_of,
        organisation=organisation,
        people=ground.people,
        aliases=ground.aliases,
        accounts=ground.accounts,
        stages=ground.stages,
        deals=deals,
        line_items=line_items_frame(typed["line_item"], deals),
        splits=splits_frame(typed["split"], deals, ground.aliases, organisation.currency),
        targets=_targets(typed["target"], ground),
        activities=activities,
        changes=ground.changes,
        excluded=_excluded(typed, matched, ruled_out),
        unmapped_stages=unmapped(deals),
        sources=known,
    )


def _ground(
    typed: Tables,
    organisation: Organisation,
    as_of: date,
    settings: MetricSettings,
    *,
    aliases: pl.DataFrame,
    matched: pl.DataFrame,
) -> Ground:
    return Ground(
        as_of=as_of,
        time_zone=organisation.time_zone,
        currency=organisation.currency,
        settings=settings,
        people=people_frame(typed["person"], aliases),
        aliases=aliases,
        accounts=accounts_frame(typed["account"], organisation.time_zone),
        stages=stage_map(typed["stage"]),
        changes=changes_frame(typed["change"], matched),
        rates=RateBook.of(typed["rate"]),
    )


def _deals(
    typed: Tables,
    matched: pl.DataFrame,
    ground: Ground,
    activities: pl.DataFrame,
    told: Mapping[str, Collection[str]],
) -> pl.DataFrame:
    rows = identified(typed["opportunity"], matched, ground)
    for step in (closed, credited, valued, related):
        rows = step(rows, ground)
    overshared = pl.col("deal").is_in(split_faults(typed["split"])["deal"].implode())
    return (
        timed(rows, ground, activities, told)
        .with_columns(overshared.alias("split_fault"))
        .select(DEAL_COLUMNS)
        .sort("connection", "remote_id")
    )


def _told(matched: pl.DataFrame, sources: Sources) -> dict[str, Collection[str]]:
    """Connections that tell changes, and the deals of which some copy's connection tells activities."""
    with_activities = [connection for connection, kinds in sources.items() if "activity" in kinds]
    home = matched.filter(pl.col("connection").is_in(with_activities))
    return {
        "change": [connection for connection, kinds in sources.items() if "change" in kinds],
        "activity": home["deal"].unique().to_list(),
    }


def _targets(targets: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """The newest version per subject, metric, period and source; money converted at the period's start."""
    newest = targets.filter(pl.col("deleted").not_()).sort("recorded_at", "modified_at", "connection", "remote_id")
    rows = newest.unique(
        ["connection", "subject_kind", "subject_id", "metric", "period_start", "period_end"],
        keep="last",
        maintain_order=True,
    ).with_columns(pl.min_horizontal("period_start", pl.lit(ground.as_of)).alias("rate_on"))
    pairs = rows.select("currency", "rate_on").drop_nulls().unique()
    rates = rate_frame(ground.rates, pairs.iter_rows(), ground.currency)
    factor = pl.when(pl.col("currency").is_null()).then(pl.lit(1, MONEY)).otherwise(pl.col("rate"))
    return (
        rows.join(rates, on=["currency", "rate_on"], how="left", maintain_order="left")
        .with_columns((pl.col("amount") * factor).cast(MONEY).alias("amount"))
        .select("connection", "subject_kind", "subject_id", "metric", "period_start", "period_end", "amount")
        .sort("connection", "subject_kind", "subject_id", "metric", "period_start", "period_end")
    )


def _excluded(typed: Tables, matched: pl.DataFrame, ruled_out: Mapping[str, int]) -> pl.DataFrame:
    counts = [
        (kind, "deleted", typed[kind].filter("deleted").height)
        for kind in ("opportunity", "account", "activity", "person")
    ]
    merged = typed["opportunity"].filter(pl.col("deleted").not_(), pl.col("merged_into").is_not_null())
    counts.append(("opportunity", "merged", merged.height))
    counts.append(("opportunity", "mirror", matched.filter(pl.col("key") != pl.col("deal")).height))
    counts += [(kind, "rule", count) for kind, count in ruled_out.items()]
    return pl.DataFrame(
        [row for row in counts if row[2]],
        schema={"kind": pl.String, "reason": pl.String, "count": pl.Int64},
        orient="row",
    )
