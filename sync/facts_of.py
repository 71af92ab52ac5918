"""From the store to prepared facts: the one place that joins configuration, frames and scoring."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from scoring.facts import Facts, Organisation, Sources, prepare
from scoring.period import Calendar
from scoring.plan import Plan
from scoring.settings import MetricSettings
from sync.config import Config
from sync.store import facts as store_facts
from sync.store.engine import Store, Tx
from sync.store.scope import Scope

KINDS = (
    "person", "account", "stage", "opportunity", "change", "activity", "split", "line_item", "target", "rate",
)  # fmt: skip
"""Record kinds that the facts of this version are made of."""


@dataclass(frozen=True, slots=True)
class View:
    """How to look: with which plan's settings and currency, and as known at the end of which day."""

    settings: MetricSettings
    organisation: Organisation
    as_of: date
    known: datetime | None = None
    """End of ``as_of`` in the organisation's zone where only what was known then counts; None: all we know."""


def calendar_of(config: Config) -> Calendar:
    """The organisation's calendar."""
    return Calendar.model_validate(config.settings.calendar.model_dump(exclude_none=True))


def today(config: Config, now: datetime | None = None) -> date:
    """The day in the organisation's zone."""
    return (now or datetime.now(UTC)).astimezone(config.settings.organisation.zone).date()


def view_of(config: Config, plan: Plan | None, *, as_of: date | None = None) -> View:
    """The view of a plan (None: the defaults). ``as_of`` None is today, with all we know."""
    organisation = config.settings.organisation
    end = None
    if as_of is not None:
        end = datetime.combine(as_of + timedelta(days=1), time(), organisation.zone) - timedelta(microseconds=1)
    return View(
        settings=MetricSettings.of(plan.settings if plan else {}),
        organisation=Organisation(
            time_zone=organisation.time_zone,
            currency=(plan.currency if plan else None) or organisation.currency,
            calendar=calendar_of(config),
        ),
        as_of=as_of or today(config),
        known=end,
    )


def facts_of(
    config: Config,
    source: Store | Tx,
    view: View,
    *,
    scope: Scope | None = None,
    sources: Sources | None = None,
    kinds: Iterable[str] = KINDS,
    without: Collection[str] = (),
) -> Facts:
    """Prepared facts, whole or around a scope (which needs the ``sources`` of the whole), ``without`` some connections."""
    tables = store_facts.load(source, kinds, as_of=view.known, scope=scope)
    return prepare(
        {kind: rows.filter(pl.col("connection").is_in(list(without)).not_()) for kind, rows in tables.items()}
        if without
        else tables,
        view.organisation,
        view.as_of,
        view.settings,
        people_map=config.people or None,
        mirrors_primary=config.settings.mirrors.primary if config.settings.mirrors else None,
        sources=sources,
        exclude=config.settings.exclude,
    )
