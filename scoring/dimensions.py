"""By what a metric can be grouped, who gets a row, and how a subject is written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import polars as pl

from scoring.deals import extra
from scoring.facts import Facts, Selector
from scoring.settings import MetricSettings
from scoring.sql import MetricError

__all__ = [
    "DEAL_DIMENSIONS", "MetricError", "grouped", "grouping", "in_period", "known_subjects", "subject_names",
    "subject_texts",
]  # fmt: skip

PERSON_PLACES = ("team", "region", "territory", "role")
BY_PERSON = frozenset(("person", *PERSON_PLACES))
COLUMNS = {"account.region": "account_region"}
DEAL_DIMENSIONS = (
    "person", *PERSON_PLACES, "product", "account", "account.region", "industry", "type", "source", "pipeline", "stage",
    "connection", "month", "quarter", "organisation",
)  # fmt: skip
KEYED = {"person": "people", "account": "accounts"}


def grouping(by: str, selector: Selector) -> pl.Expr:
    """The column that holds this dimension in the rows of a selector. Raises MetricError for an unknown one."""
    if by == "organisation":
        return pl.lit("all")
    if by == "month":
        return pl.col(selector.day).dt.strftime("%Y-%m")
    if by == "quarter":
        day = pl.col(selector.day).dt
        return pl.concat_str([day.year(), pl.lit("-Q"), day.quarter()])
    if by.startswith("extra.") and selector.frame == "deals":
        return extra(by.removeprefix("extra."))
    if by not in DEAL_DIMENSIONS:
        near = get_close_matches(by, DEAL_DIMENSIONS, n=1)
        advice = f"Did you mean {near[0]}?" if near else f"Write one of {', '.join(DEAL_DIMENSIONS)} or extra.NAME."
        message = f"{by} is nothing to group by. {advice}"
        raise MetricError(message)
    return pl.col(COLUMNS.get(by, by))


def grouped(facts: Facts, selector: Selector, by: Sequence[str], settings: MetricSettings) -> pl.DataFrame:
    """The selector's rows of every period with the dimensions as columns ``by:0``, ``by:1``...

    Deals that are shared (by products, or by splits where the settings credit them) come once per group, with their
    share of ``amount`` and ``booking``.
    """
    rows: pl.DataFrame = getattr(facts, selector.frame)
    if selector.where is not None:
        rows = rows.filter(selector.where)
    shared = False
    if selector.frame != "deals":
        rows = rows.join(facts.people.select("person", *PERSON_PLACES), on="person", how="left", maintain_order="left")
    else:
        if "product" in by and facts.line_items.height:
            rows, shared = _by_products(rows, facts), True
        if settings.attribution_owner == "credited" and BY_PERSON & set(by) and facts.splits.height:
            rows, shared = _by_credits(rows, facts, by_products=shared), True
    expressions = [grouping(name, selector) for name in by]
    unknown = {name for expression in expressions for name in expression.meta.root_names()} - set(rows.columns)
    if unknown:
        message = f"{selector.name} cannot be grouped by {', '.join(sorted(unknown))}"
        raise MetricError(message)
    names = [f"by:{place}" for place in range(len(by))]
    rows = rows.with_columns(expression.alias(name) for name, expression in zip(names, expressions, strict=True))
    return _once_per_group(rows, names) if shared else rows


def _by_products(deals: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    items = facts.line_items.group_by("deal", "product").agg(
        pl.col("amount").sum().alias("__amount"), pl.col("amount").count().gt(0).alias("__known")
    )
    known = pl.when("__known").then("__amount")
    named = items.rename({"product": "__product"})
    rows = deals.join(named, on="deal", how="left", maintain_order="left")
    has_items = pl.col("__known").is_not_null()
    return rows.with_columns(
        pl.when(has_items).then(known).otherwise("amount").alias("amount"),
        pl.when(has_items).then(known).otherwise("booking").alias("booking"),
        pl.when(has_items).then("__product").otherwise("product").alias("product"),
    ).drop("__amount", "__known", "__product")


def _by_credits(deals: pl.DataFrame, facts: Facts, *, by_products: bool) -> pl.DataFrame:
    revenue = facts.splits.filter(pl.col("kind") == "revenue").select(
        "deal",
        pl.col("person").alias("__person"),
        pl.col("percentage").alias("__share"),
        *(pl.col(name).alias(f"__{name}") for name in ("amount", "booking")),
    )
    places = facts.people.select(
        pl.col("person").alias("__person"), *(pl.col(place).alias(f"__{place}") for place in PERSON_PLACES)
    )
    split = pl.col("__share").is_not_null()
    shares = {
        name: (pl.col(name) * pl.col("__share")).cast(deals.schema[name]) if by_products else pl.col(f"__{name}")
        for name in ("amount", "booking")
    }
    rows = deals.join(revenue, on="deal", how="left", maintain_order="left").join(
        places, on="__person", how="left", maintain_order="left"
    )
    own = pl.col("__person").eq_missing(pl.col("person"))  # the owner's place at the close is the better known one
    return rows.with_columns(
        **{name: pl.when(split).then(share).otherwise(name) for name, share in shares.items()},
        **{name: pl.when(split & own.not_()).then(f"__{name}").otherwise(name) for name in ("person", *PERSON_PLACES)},
    ).drop(pl.selectors.starts_with("__"))


def _once_per_group(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    keys = [*names, "deal"]
    others = [name for name in rows.columns if name not in {*keys, "amount", "booking"}]
    money = (pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in ("amount", "booking"))
    return rows.group_by(keys, maintain_order=True).agg(*money, pl.col(others).first())


def in_period(rows: pl.DataFrame, selector: Selector, start: object, end: object) -> pl.DataFrame:
    """The rows of one period; all of them for what is looked at as of today."""
    return rows.filter(pl.col(selector.day) >= start, pl.col(selector.day) < end) if selector.dated else rows


def known_subjects(facts: Facts, by: Sequence[str], frames: Iterable[pl.DataFrame]) -> list[tuple[str | None, ...]]:
    """Everybody who gets a row: every known person, team, region..., and whatever else the rows name. In order."""
    seen = {row for frame in frames for row in frame.select(pl.selectors.starts_with("by:")).unique().iter_rows()}
    if set(by) == {"organisation"}:
        seen.add(("all",))
    elif set(by) <= BY_PERSON:
        here = facts.people.filter(pl.col("deleted").not_()).select(by).unique()
        seen.update(row for row in here.iter_rows() if None not in row)
    elif by == ("account",):
        seen.update(facts.accounts.select("account").iter_rows())
    return sorted(seen, key=lambda row: tuple((part is None, part or "") for part in row))


def subject_texts(facts: Facts, by: str, subjects: Iterable[str | None]) -> dict[str | None, str | None]:
    """How the subjects of one dimension are written: the bare ``remote_id``, or the whole ``KIND:CONNECTION:ID`` where
    two share it; for a group its own text."""
    asked = set(subjects)
    if by not in KEYED:
        return {subject: subject for subject in asked}
    everybody: set[str] = {*getattr(facts, KEYED[by])[by], *(subject for subject in asked if subject is not None)}
    bare = Counter(subject.partition(":")[2] for subject in everybody)
    return {
        subject: None
        if subject is None
        else (rest if bare[rest := subject.partition(":")[2]] == 1 else f"{by}:{subject}")
        for subject in asked
    }


def subject_names(facts: Facts, by: str) -> dict[str, str | None]:
    """Names by key, for the dimensions whose subjects have one: a stage goes by its label, with its id where two share it."""
    if by == "stage":
        return _stage_names(facts)
    if by not in KEYED:
        return {}
    return dict(getattr(facts, KEYED[by]).select(by, "name").iter_rows())


def _stage_names(facts: Facts) -> dict[str, str | None]:
    known = facts.deals.select("stage", "stage_label").drop_nulls().unique().sort("stage", "stage_label")
    labels: dict[str, str] = {}
    for stage, label in known.iter_rows():
        labels.setdefault(stage, label)
    shared = Counter(labels.values())
    return {
        stage: label if shared[label] == 1 or label == stage else f"{label} ({stage})"
        for stage, label in labels.items()
    }
