"""What ``config/scoreback.yaml`` may say (product.md section 4)."""

import re
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from connectors.errors import ConfigError
from connectors.secrets import Secret
from connectors.settings import Duration, SecretRef, Settings

_SQLITE = "sqlite:///"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        near = get_close_matches(name, available_timezones(), n=1)
        advice = f". Did you mean {near[0]}?" if near else ""
        message = f"must be an IANA time zone such as Europe/Berlin{advice}"
        raise ValueError(message)
    return name


def _store_url(value: Any) -> str:
    url = str(value)
    parts = urlsplit(url)
    if not url.startswith(_SQLITE) and parts.scheme not in ("postgresql", "postgresql+psycopg"):
        message = "must be sqlite:///PATH or postgresql://USER@HOST/DATABASE"
        raise ValueError(message)
    if "\0" in url:
        message = "must not hold a zero byte"
        raise ValueError(message)
    if parts.password is not None or "password=" in parts.query:
        message = "a secret must not stand in the configuration: take the password out and name it in store.password"
        raise ValueError(message)
    return url


def _readable_rules(rules: dict[str, str]) -> dict[str, str]:
    from scoring.exclusion import compile_exclusions  # brings Polars along: only where there are rules

    if rules:
        compile_exclusions(rules)
    return rules


class StoreSettings(Settings):
    """Where facts, results and the outbox live."""

    url: Annotated[str, BeforeValidator(_store_url)] = Field(
        default="sqlite:///../state.db", description="sqlite:///PATH from this file, or postgresql://USER@HOST/DATABASE"
    )
    password: SecretRef | None = Field(default=None, description="Of the PostgreSQL user; else as libpq finds it")
    token_key: SecretRef | None = Field(
        default=None, description="Key that encrypts what CRMs issue to us; a file that is not there is made"
    )


class OrganisationSettings(Settings):
    """Whose calendar days and money the scores speak of."""

    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC", description="IANA zone in which days and periods are counted"
    )
    currency: str = Field(
        default="EUR", pattern=r"^[A-Z]{3}$", examples=["EUR"], description="What other currencies are converted into"
    )
    language: Literal["en", "zh-CN"] = Field(default="en", description="Of labels, reasons and advice")

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return ZoneInfo(self.time_zone)


def _with_holidays(country: str) -> str:
    from holidays import list_supported_countries  # slow to import, and used by few

    if re.fullmatch("[A-Z]{2}", country) is None or country not in list_supported_countries():
        message = "must be the two letters of a country whose holidays are known, such as DE"
        raise ValueError(message)
    return country


class CalendarSettings(Settings):
    """Periods: Gregorian with a fiscal start month, or week-based from a starting day."""

    kind: Literal["gregorian", "4-4-5", "4-5-4", "5-4-4"] = Field(
        default="gregorian", description="Calendar months, or quarters of 13 weeks"
    )
    fiscal_start: int = Field(default=1, ge=1, le=12, description="First month of the fiscal year")
    fiscal_named_by: Literal["start", "end"] = Field(
        default="end", description="Which calendar year names a fiscal year that spans two"
    )
    starts: date | None = Field(default=None, description="First day of a week-based fiscal year")
    holidays: Annotated[str, AfterValidator(_with_holidays)] | None = Field(
        default=None, description="Country whose holidays are free, such as DE"
    )

    @model_validator(mode="after")
    def _starts(self) -> Self:
        if (self.kind != "gregorian") != (self.starts is not None):
            message = "a week-based calendar needs starts (the first day of a fiscal year), a gregorian one has none"
            raise ValueError(message)
        return self


class PushSettings(Settings):
    """When a changed score is worth a write, and when so many changes at once are suspicious."""

    hysteresis: Decimal = Field(default=Decimal(2), ge=0, description="Points a score must move to be written")
    drift_guard: Decimal = Field(
        default=Decimal("0.5"), gt=0, le=1, description="Largest share of known scores that may change at once"
    )
    drift_guard_from: int = Field(default=50, ge=1, description="Scores there must be before the guard looks")


class MirrorSettings(Settings):
    """A deal that lives in two CRMs (same external_id): whose amount, stage and owner count."""

    primary: str = Field(description="Name of the connection whose word counts; scores go to both")


class QualitySettings(Settings):
    """Data-quality penalties that differ from the defaults, by check."""

    penalties: dict[str, Annotated[Decimal, Field(ge=0, le=1)]] = Field(
        default_factory=dict, description="Share of quality that a check costs, by its name"
    )


class ServiceSettings(Settings):
    """The background service."""

    health: int | None = Field(default=8710, ge=1, le=65535, description="Port of /health on loopback")
    jitter: Duration = Field(default=timedelta(seconds=10), description="Random delay of each start, against crowding")
    suspicious_share: Decimal = Field(
        default=Decimal("0.2"), gt=0, le=1, description="Share of a stream that may vanish at once"
    )


class ScorebackSettings(Settings):
    """The whole of ``scoreback.yaml``; every key has a default."""

    store: StoreSettings = StoreSettings()
    organisation: OrganisationSettings = OrganisationSettings()
    calendar: CalendarSettings = CalendarSettings()
    push: PushSettings = PushSettings()
    mirrors: MirrorSettings | None = None
    quality: QualitySettings = QualitySettings()
    service: ServiceSettings = ServiceSettings()
    exclude: Annotated[dict[str, str], AfterValidator(_readable_rules)] = Field(
        default_factory=dict,
        description="Test and internal records, by kind: a SQL condition over the record's columns; their count is shown",
    )

    def store_url(self, folder: Path) -> str:
        """The store's URL, whole: a relative SQLite path starts at ``folder``, the folder of the file.

        Holds ``store.password`` where there is one. Raises ConfigError if that cannot be had.
        """
        url = self.store.url
        if url.startswith(_SQLITE):
            return _SQLITE + str((folder / url.removeprefix(_SQLITE)).resolve())
        if self.store.password is None:
            return url
        user, at, rest = url.partition("@")
        if not at:
            message = "store.url: name the user whose password store.password is: postgresql://USER@HOST/DATABASE"
            raise ConfigError(message)
        return f"{user}:{quote(self.store.password.reveal(), safe='')}@{rest}"

    def token_key(self, folder: Path) -> Secret:
        """Where the key is that encrypts issued tokens."""
        return self.store.token_key or Secret("file:../token.key", folder)
