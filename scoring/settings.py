"""How the metrics are defined where practitioners disagree: the keys of a plan's ``settings``, with our defaults."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

CycleStat = Literal["median", "mean"]

DEAL_TYPES = {
    "new": ("new", "new business", "newbusiness", "new customer", "new logo"),
    "expansion": (
        "expansion", "existing", "existing business", "existingbusiness", "existing customer - upgrade",
        "upsell", "up-sell", "cross-sell", "crosssell",
    ),
    "renewal": ("renewal", "existing customer - renewal", "existing customer - replacement"),
}  # fmt: skip
"""Spellings of the mapped deal type that we know, in lower case; any other leaves it to the account's earlier wins."""


class MetricSettings(BaseModel):
    """Every choice of the domain guide's section 12, and the few more that the facts need, by their dotted keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    win_rate_denominator: Literal["resolved", "include_disqualified", "created_cohort"] = Field(
        default="resolved", alias="win_rate.denominator", description="Which deals a win rate is a share of"
    )
    win_rate_by: Literal["count", "value"] = Field(default="count", alias="win_rate.by")
    win_rate_min_sample: int = Field(
        default=10, ge=0, alias="win_rate.min_sample", description="Below it a rate is low_sample"
    )
    win_rate_cohort_days: int | None = Field(
        default=None,
        ge=0,
        alias="win_rate.cohort_days",
        description="Age at which a created cohort is mature; default: P90 of the won deals' cycle",
    )
    cycle_start: str = Field(
        default="created",
        pattern=r"^(created|qualified|stage:.+)$",
        alias="cycle.start",
        description="created, qualified or stage:NAME",
    )
    cycle_stat: CycleStat = Field(
        default="median", alias="cycle.stat", description="The cycle that velocity divides by"
    )
    transactional: bool | tuple[str, ...] = Field(
        default=(), description="Pipelines (or true for all) in which a deal may open and close on one day"
    )
    coverage_base: Literal["remaining", "full", "weighted"] = Field(
        default="remaining",
        alias="coverage.base",
        description="Remaining quota, full quota, or probability-weighted over the remaining quota",
    )
    attribution_owner: Literal["at_close", "current_owner", "credited"] = Field(
        default="at_close", alias="attribution.owner"
    )
    bookings_amount_field: str = Field(
        default="amount",
        pattern=r"^(amount|extra\..+)$",
        alias="bookings.amount_field",
        description="amount, or extra.NAME of a mapped field",
    )
    new_customer_lookback_months: int = Field(default=24, ge=1, alias="new_customer.lookback_months")
    activity_include_auto_logged: bool = Field(default=False, alias="activity.include_auto_logged")
    forecast_divisor: Literal["actual", "forecast"] = Field(default="actual", alias="forecast.divisor")
    pace_curve: Literal["working_days", "calendar_days", "seasonal"] = Field(default="working_days", alias="pace.curve")
    tiers_mode: Literal["marginal", "retroactive"] = Field(default="marginal", alias="tiers.mode")
    threshold_pays: Literal["from_first_unit", "above_threshold_only"] = Field(
        default="from_first_unit", alias="threshold.pays"
    )
    clawback_mode: Literal["as_paid", "rerate"] = Field(default="as_paid", alias="clawback.mode")
    fx_policy: Literal["booking_date"] = Field(
        default="booking_date", alias="fx.policy", description="The rate of the close date, frozen"
    )
    missing_policy: Literal["reweight", "zero"] = Field(
        default="reweight",
        alias="missing.policy",
        description="Structurally missing components; self-inflicted ones always score 0",
    )
    normaliser_cap: Decimal = Field(default=Decimal("1.2"), gt=0, alias="normaliser.cap")
    bands_forced: bool = Field(default=False, alias="bands.forced")

    @field_validator("transactional", mode="before")
    @classmethod
    def _pipelines(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "MetricSettings":
        """Settings from the dotted keys of a plan. Raises pydantic's ValidationError with every problem at once."""
        return cls.model_validate(dict(settings))
