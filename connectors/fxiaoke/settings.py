"""What a connection file of kind ``fxiaoke`` may say beyond the common keys."""

from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from connectors.fxiaoke.streams import STREAMS
from connectors.records import ActivityKind, Outcome
from connectors.settings import ConnectionSettings, SecretRef, SignIn, Url

BROWSER_HOSTS = ("www.fxiaoke.com", "fxiaoke.com", "www.sharecrm.com", "sharecrm.com")
"""Hosts of pages: they answer calls with a redirect or HTML."""

ELSEWHERE = ("split", "forecast", "absence", "rate", "rating")
"""Streams for which Fxiaoke has no object: read from an object of the tenant's own that ``objects`` names."""


class FxiaokeSignIn(SignIn):
    """The self-built application and the employee as whom it acts."""

    flow: Literal["body", "header"] = Field(default="body", description="Generation of the interface: see the docs")
    app_id: SecretRef = Field(description="appId of the self-built application (FSAID_...)")
    app_secret: SecretRef = Field(description="Its appSecret")
    permanent_code: SecretRef = Field(description="Its permanentCode")
    mobile: str | None = Field(default=None, description="body: mobile number of the employee as whom we act")
    user: str | None = Field(default=None, description="That employee's id: FSUID_... (body) or 1000 (header)")
    tenant: str | None = Field(default=None, description="header: the tenant's account (x-fs-ea); else the token tells")

    @model_validator(mode="after")
    def _actor(self) -> Self:
        if self.flow == "header" and not self.user:
            message = "flow header needs user: the employee number as whom we act"
            raise ValueError(message)
        if not self.user and not self.mobile:
            message = "mobile (or user) is missing: the employee as whom we act"
            raise ValueError(message)
        return self


class FxiaokeSettings(ConnectionSettings):
    """One Fxiaoke tenant, reached at the host of its cloud."""

    own_names_only: ClassVar[bool] = False

    base_url: Url
    sign_in: FxiaokeSignIn
    time_zone: str = Field(default="Asia/Shanghai", description="The tenant's zone: dates are its midnights")
    objects: dict[str, str] = Field(default_factory=dict, description="Another object (apiName) to read a stream from")
    outcomes: dict[str, Outcome] = Field(
        default_factory=dict, description="Labels or values of sales_status, in our words"
    )
    activity_kinds: dict[str, ActivityKind] = Field(
        default_factory=dict, description="Labels or values of interactive_types, in our words"
    )
    goal_rules: dict[str, str] = Field(default_factory=dict, description="Names or ids of goal rules, as our metrics")
    fiscal_start: int = Field(default=1, ge=1, le=12, description="First month of the year that goals count in")

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's zone."""
        return ZoneInfo(self.time_zone)

    @model_validator(mode="before")
    @classmethod
    def _only_what_is_there(cls, value: Any) -> Any:
        """Switches off what is not read until the connection file says where it is."""
        if not isinstance(value, dict):
            return value
        streams, named = _named_objects(value.get("streams") or {})
        objects, fields = {**named, **(value.get("objects") or {})}, value.get("fields") or {}
        absent = [name for name in ELSEWHERE if name not in objects]
        if "answer" not in (fields.get("survey") or {}):
            absent.append("survey")  # tickets have no field for it but the tenant's own
        for name in absent:
            if streams.setdefault(name, "off") != "off":
                where = (
                    "the field of the answer in fields.survey" if name == "survey" else f"your object in objects.{name}"
                )
                message = f"streams.{name}: Fxiaoke has nothing of its own for it: name {where}"
                raise ValueError(message)
        return {**value, "streams": streams, "objects": objects}

    @field_validator("objects")
    @classmethod
    def _of_streams(cls, value: dict[str, str]) -> dict[str, str]:
        known = {stream.name for stream in STREAMS if stream.name not in ("person", "stage", "history")}
        unknown = sorted(value.keys() - known)
        if unknown:
            message = f"{', '.join(unknown)}: no stream of that name; there are {', '.join(sorted(known))}"
            raise ValueError(message)
        return value

    @field_validator("base_url")
    @classmethod
    def _no_pages(cls, value: str) -> str:
        host = urlsplit(value).hostname or ""
        if host in BROWSER_HOSTS:
            message = f"{host} serves pages only: write https://open.fxiaoke.com, or open- and your log-in domain"
            raise ValueError(message)
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, OSError, ValueError):
            message = f"{value} is not a time zone: write one such as Asia/Shanghai"
            raise ValueError(message) from None
        return value


def _named_objects(streams: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Streams, and what ``streams.NAME.object`` says, as other kinds spell it: here any stream may have another object."""
    kept = dict(streams)
    named = {name: one["object"] for name, one in kept.items() if isinstance(one, dict) and one.get("object")}
    for name in named:
        kept[name] = {key: value for key, value in kept[name].items() if key != "object"}
    return kept, named
