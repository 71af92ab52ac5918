"""What a connection file may say. Unknown keys are errors; secrets are references; durations are written 5m or 1h."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from connectors.addresses import check_proxy, check_url
from connectors.records import Outcome
from connectors.secrets import Secret, parse_secret

_OURS = re.compile(r"Z?scoreback_?\w*", re.IGNORECASE)  # SAP puts a Z before names of customers' fields
_PATH = re.compile(r"[\w.@$/-]+")
"""A remote field, or a walk to one: what stands in queries and addresses as it is, and must not add to them."""
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LONGEST = timedelta(days=3_650)


def parse_duration(value: Any) -> timedelta:
    """``5m`` as a timedelta, ten years at most. Units: s, m, h, d."""
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([0-9]+)\s*([smhd])", str(value).strip())
    if match is None:
        message = "must be a duration such as 30s, 5m, 1h or 7d"
        raise ValueError(message)
    # Compared as text first: nobody waits for the number that a hundred thousand digits are.
    if len(match[1]) > 9 or int(match[1]) * _SECONDS[match[2]] > _LONGEST.total_seconds():
        message = f"must be at most {_LONGEST.days}d"
        raise ValueError(message)
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def from_file(value: Any, info: ValidationInfo) -> Path:
    """A relative path starts at the folder of the file that names it."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / Path(str(value)).expanduser()


def _secret(value: Any, info: ValidationInfo) -> Secret:
    if isinstance(value, Secret):
        return value
    context = info.context or {}
    return parse_secret(str(value), context.get("folder", Path()), sandbox_allowed=context.get("loopback", False))


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(lambda value: f"{int(value.total_seconds())}s"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\s*[smhd]$"}),
]
Url = Annotated[str, BeforeValidator(check_url)]
SecretRef = Annotated[
    Secret,
    BeforeValidator(_secret),
    PlainSerializer(lambda secret: secret.reference),
    WithJsonSchema({"type": "string", "pattern": r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:.+/.+|sandbox)$"}),
]


class Settings(BaseModel):
    """Base of every settings model: an unknown key is an error, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, coerce_numbers_to_str=True)


class SignIn(Settings):
    """How to sign in. Which keys a flow needs is checked by the connector's own model."""

    host: Url | None = None


class Allowance(Settings):
    """How much of the CRM's daily calls is ours."""

    share: Decimal = Field(default=Decimal("0.2"), gt=0, le=1, decimal_places=9)
    calls: int | None = Field(
        default=None, gt=0, le=10**12, description="Our calls a day, where the CRM does not tell its limit"
    )


class StreamSettings(Settings):
    """What to read of one stream."""

    since: date | None = Field(default=None, description="Oldest day worth reading in a first load")
    object: str | None = Field(
        default=None,
        min_length=1,
        description="The remote object to read, for a stream that the CRM has no standard object for",
    )


class Constant(Settings):
    """A mapping to a constant instead of a remote field."""

    value: str


class StageSettings(Settings):
    """What one stage means."""

    stage: str
    outcome: Outcome
    probability: Decimal | None = Field(default=None, ge=0, le=1, decimal_places=9)
    label: str | None = None
    qualified: bool | None = None


class KeyedWriteBack(Settings):
    """Rows of our own object: one per person and period, found again by ``key``."""

    into: str
    key: str
    fields: dict[str, str]


def _source_form(value: Any) -> str:
    if isinstance(value, (dict, Constant)):
        return "constant" if isinstance(value, Constant) or "value" in value else "map"
    return "path"


def _word_or_map(value: Any) -> str:
    return "map" if isinstance(value, (dict, BaseModel)) else "word"


def _write_form(value: Any) -> str:
    if isinstance(value, KeyedWriteBack):
        return "keyed"
    return "keyed" if isinstance(value, dict) and {"into", "key", "fields"} & value.keys() else "fields"


# Each union tells by the value's form which branch is meant, so that a mistake is reported once and where it is.
FieldSource = Annotated[
    Annotated[str, Tag("path")] | Annotated[Constant, Tag("constant")] | Annotated[dict[str, str], Tag("map")],
    Discriminator(_source_form),
]
"""A remote path, a constant, or for ``extra`` a map of names to remote paths."""

StreamSwitch = Annotated[
    Annotated[StreamSettings, Tag("map")] | Annotated[Literal["on", "off"], Tag("word")], Discriminator(_word_or_map)
]

WriteBack = Annotated[
    Annotated[KeyedWriteBack, Tag("keyed")] | Annotated[dict[str, str], Tag("fields")], Discriminator(_write_form)
]


class Network(Settings):
    """How to reach the CRM."""

    proxy: Annotated[str, BeforeValidator(check_proxy)] | None = Field(
        default=None, description="URL of a proxy; the environment's (HTTPS_PROXY) is taken where this is left out"
    )
    ca_file: Annotated[Path, BeforeValidator(from_file)] | None = Field(
        default=None, description="Certificates of a private CA, as PEM"
    )
    connect_timeout: Duration = Field(default=timedelta(seconds=5), ge=timedelta(seconds=1), le=timedelta(hours=1))
    read_timeout: Duration = Field(default=timedelta(seconds=120), ge=timedelta(seconds=1), le=timedelta(hours=1))


class ConnectionSettings(Settings):
    """One file of ``config/connections``. Connectors extend it with what their CRM needs."""

    own_names_only: ClassVar[bool] = True
    """False for a CRM where we cannot choose field names (Fxiaoke), or for no CRM at all (csv)."""

    own_paths_only: ClassVar[bool] = True
    """False where a remote field may be called anything, since its name never leaves us (csv)."""

    object_names: ClassVar[re.Pattern[str]] = re.compile(r".+")
    """What a remote object is called, where its name stands in queries or addresses."""

    own_objects: ClassVar[frozenset[str]] = frozenset()
    """Streams without a standard object in this CRM: off until ``streams.NAME.object`` says where the company keeps it."""

    own_address: ClassVar[bool] = False
    """Whether ``base_url`` is one account's own, so that whoever signs in there reads the same records."""

    kind: str
    base_url: Url | None = None
    sign_in: SignIn = SignIn()
    api_version: str | None = None
    every: Duration = Field(default=timedelta(minutes=5), ge=timedelta(seconds=1), description="How often it is read")
    metadata_every: Duration = Field(default=timedelta(hours=1), description="Stages, currencies, account settings")
    deletions_every: Duration = Field(default=timedelta(hours=1), description="Deleted and merged records")
    reconcile: Duration = Field(
        default=timedelta(days=1), description="How often the ids of all records are compared with the CRM's"
    )
    overlap: Duration = Field(default=timedelta(minutes=10), description="How far a pull looks back for late commits")
    allowance: Allowance = Allowance()
    network: Network = Network()
    streams: dict[str, StreamSwitch] = Field(default_factory=dict)
    fields: dict[str, dict[str, FieldSource]] = Field(default_factory=dict)
    stages: dict[str, list[StageSettings]] = Field(default_factory=dict)
    write_back: dict[Literal["opportunity", "person"], WriteBack] = Field(default_factory=dict)
    automation: Literal["on", "off"] = "off"
    language: Literal["en", "zh-CN"] | None = None

    _name: str = ""

    @property
    def name(self) -> str:
        """Name of the connection: its file's name without ``.yaml``."""
        return self._name

    def named(self, name: str) -> "ConnectionSettings":
        """The same settings under a name."""
        copy = self.model_copy()
        copy._name = name  # noqa: SLF001  # our own copy
        return copy

    def stream(self, name: str) -> StreamSettings | None:
        """Settings of a stream; None if it is off."""
        setting = self.streams.get(name, "off" if name in self.own_objects else "on")
        if setting == "off":
            return None
        return StreamSettings() if setting == "on" else setting

    def object_of(self, name: str) -> str | None:
        """The remote object that the admin named for a stream; None for the connector's own choice."""
        setting = self.streams.get(name)
        return setting.object if isinstance(setting, StreamSettings) else None

    @field_validator("streams")
    @classmethod
    def _objects(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, setting in value.items():
            named = isinstance(setting, StreamSettings) and setting.object is not None
            if named and name not in cls.own_objects:
                message = f"{name}: object cannot be chosen for this stream; map its fields under fields.{name}"
                raise ValueError(message)
            if not named and setting != "off" and name in cls.own_objects:
                message = f"{name} has no standard object here: name yours, {name}: {{object: NAME}}"
                raise ValueError(message)
            if named and not cls.object_names.fullmatch(setting.object):
                message = f"{name}: {setting.object} is not what an object is called in this CRM's API"
                raise ValueError(message)
        return value

    @field_validator("fields")
    @classmethod
    def _paths(cls, value: Mapping[str, Mapping[str, FieldSource]]) -> Mapping[str, Any]:
        for name, mapping in value.items():
            for ours, source in mapping.items():
                paths = source.values() if isinstance(source, dict) else (source,)
                strange = [path for path in paths if isinstance(path, str) and not _PATH.fullmatch(path)]
                if strange and cls.own_paths_only:
                    message = f"{name}.{ours}: {strange[0]} is not what a field is called in this CRM's API"
                    raise ValueError(message)
        return value

    @field_validator("write_back")
    @classmethod
    def _ours(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for record, target in value.items():
            keyed = isinstance(target, KeyedWriteBack)
            if keyed and not cls.object_names.fullmatch(target.into):
                message = f"{record}: {target.into} is not what an object is called in this CRM's API"
                raise ValueError(message)
            fields = [*target.fields, target.key] if keyed else target
            for remote in fields:
                if not _OURS.fullmatch(remote) and cls.own_names_only:
                    message = f"{record}: {remote} is not one of our fields, whose names begin with Scoreback"
                    raise ValueError(message)
        return value
