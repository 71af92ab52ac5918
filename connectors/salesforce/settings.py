"""What a connection file of kind ``salesforce`` may say beyond the common keys."""

import re
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from connectors.own_streams import KINDS
from connectors.settings import ConnectionSettings, SecretRef, SignIn, Url

PRODUCTION = "https://login.salesforce.com"
SANDBOX = "https://test.salesforce.com"

OLDEST_VERSION = 52
"""The first with every field that we read (LastStageChangeDate)."""

LAST_PASSWORD_VERSION = 64
"""Sign-in by password ends with it (Salesforce Help 005132110)."""

_NEEDED: dict[str, tuple[str, ...]] = {
    "client_credentials": ("client_secret",),
    "jwt": ("username", "private_key"),
    "refresh_token": ("refresh_token",),
    "password": ("client_secret", "username", "password"),
}


class SalesforceSignIn(SignIn):
    """How the service signs in. ``host`` is where tokens come from, if that is not ``base_url``."""

    flow: Literal["client_credentials", "jwt", "refresh_token", "password"] = "client_credentials"
    client_id: SecretRef
    client_secret: SecretRef | None = None
    username: str | None = Field(default=None, description="jwt, password: the integration user's name")
    private_key: SecretRef | None = Field(default=None, description="jwt: the PEM text of the certificate's key")
    audience: Url = Field(
        default=PRODUCTION, description="jwt: whom the assertion is for; https://test.salesforce.com for a sandbox"
    )
    refresh_token: SecretRef | None = None
    password: SecretRef | None = None
    security_token: SecretRef | None = Field(default=None, description="password: appended to it")

    @model_validator(mode="before")
    @classmethod
    def _sandbox(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("host") == SANDBOX:
            return {"audience": SANDBOX, **value}
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDED[self.flow] if getattr(self, name) is None]
        if missing:
            message = f"flow {self.flow} needs {' and '.join(missing)}"
            raise ValueError(message)
        return self


class SalesforceSettings(ConnectionSettings):
    """One Salesforce organisation, reached at its My Domain."""

    object_names: ClassVar[re.Pattern[str]] = re.compile(r"\w+")
    own_objects: ClassVar[frozenset[str]] = frozenset(KINDS)
    own_address: ClassVar[bool] = True

    base_url: Url
    sign_in: SalesforceSignIn
    api_version: str = Field(default="64.0", pattern=r"^\d+\.0$")
    forecasting_type: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z0-9]{15,18}$",
        description="Id of the ForecastingType whose quotas and forecasts count",
    )
    quota_object: str | None = Field(
        default=None,
        pattern=r"^\w+$",
        description="An object of your own that holds the quotas; map its fields in fields.target",
    )

    @field_validator("base_url")
    @classmethod
    def _my_domain(cls, value: str) -> str:
        host = urlsplit(value).hostname or ""
        if host.endswith(".lightning.force.com"):
            message = (
                f"{host} serves pages only: write https://{host.removesuffix('.lightning.force.com')}.my.salesforce.com"
            )
            raise ValueError(message)
        if value.startswith((PRODUCTION, SANDBOX)):
            message = f"{host} is no organisation: write its My Domain, such as https://acme.my.salesforce.com"
            raise ValueError(message)
        return value

    @field_validator("api_version")
    @classmethod
    def _not_too_old(cls, value: str) -> str:
        if int(value.partition(".")[0]) < OLDEST_VERSION:
            message = f"api_version {value} is too old: {OLDEST_VERSION}.0 is the oldest we can read with"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _version(self) -> Self:
        if self.sign_in.flow == "password" and int(self.api_version.partition(".")[0]) > LAST_PASSWORD_VERSION:
            message = f"flow password ends with api_version {LAST_PASSWORD_VERSION}.0: use client_credentials or jwt"
            raise ValueError(message)
        return self
