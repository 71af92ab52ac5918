"""What a connection file of kind ``dynamics`` may say beyond the common keys."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.settings import ConnectionSettings, KeyedWriteBack, SecretRef, SignIn, StreamSettings, Url

_OURS = re.compile(r"[a-z][a-z0-9]{1,7}_scoreback[a-z0-9_]*")
"""A publisher's prefix (Dataverse wants one, of 2 to 8 characters, before every custom column), then our name."""

OWN_KINDS = ("payment", "contract", "forecast", "absence", "rating")
"""Records for which Dynamics has no standard table: one of the company's own may hold them."""

INSTEAD: Mapping[str, str] = {"invoice": "payment"}
"""Streams of standard tables that are off where the company keeps such records in a table of its own."""

_NEEDED: dict[str, tuple[str, ...]] = {
    "client_secret": ("client_secret",),
    "certificate": ("private_key", "thumbprint"),
}


class DynamicsSignIn(SignIn):
    """How the service signs in at Microsoft Entra ID. ``host`` is another cloud's authority."""

    flow: Literal["client_secret", "certificate"] = "client_secret"
    tenant: SecretRef = Field(description="Directory (tenant) ID, as a reference like every value here")
    client_id: SecretRef
    client_secret: SecretRef | None = None
    private_key: SecretRef | None = Field(default=None, description="certificate: the PEM text of its private key")
    thumbprint: SecretRef | None = Field(default=None, description="certificate: its SHA-1 thumbprint, 40 hex digits")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDED[self.flow] if getattr(self, name) is None]
        if missing:
            message = f"flow {self.flow} needs {' and '.join(missing)}"
            raise ValueError(message)
        return self


class DynamicsSettings(ConnectionSettings):
    """One Dataverse environment, reached at its own address."""

    own_names_only: ClassVar[bool] = False  # checked below: the name stands behind a publisher's prefix
    own_objects: ClassVar[frozenset[str]] = frozenset(OWN_KINDS)
    own_address: ClassVar[bool] = True

    base_url: Url
    sign_in: DynamicsSignIn
    api_version: str = Field(default="9.2", pattern=r"^9\.[0-2]$")
    omitted_statuses: list[int] = Field(
        default_factory=list, description="Values of statuscode whose deals count as omitted, such as 4 (Canceled)"
    )
    visit_category: str = Field(default="Visit", description="Appointments of this category are visits")
    goal_metrics: dict[str, str] = Field(
        default_factory=dict, description="Our metrics by name of the goal metric; revenue of won deals is bookings"
    )
    bypass_plugins: bool = Field(
        default=False,
        description="Our writes run no plug-ins and workflows of yours; needs prvBypassCustomBusinessLogic",
    )

    def stream(self, name: str) -> StreamSettings | None:
        """Settings of a stream; None if it is off, as a standard table is where the company named one of its own."""
        replaced = self.object_of(INSTEAD.get(name, "")) is not None
        return None if replaced else super().stream(name)

    @field_validator("base_url")
    @classmethod
    def _environment(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.path.strip("/"):
            message = f"write the environment's address without a path: {parts.scheme}://{parts.netloc}"
            raise ValueError(message)
        return value

    @field_validator("write_back")
    @classmethod
    def _prefixed(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        for record, target in value.items():
            if isinstance(target, KeyedWriteBack):
                message = f"{record}: rows of an own table are not written here: name columns of the table itself"
                raise ValueError(message)  # noqa: TRY004 - pydantic turns a ValueError into a finding
            for remote in target:
                if not _OURS.fullmatch(remote):
                    message = f"{record}: {remote} is not one of our columns, such as sb_scoreback_score (lower case)"
                    raise ValueError(message)
        return value
