"""What a connection file of kind ``sap`` may say beyond the common keys."""

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.own_streams import KINDS
from connectors.records import Outcome
from connectors.settings import ConnectionSettings, SecretRef, SignIn, StreamSettings, Url

STATUSES: dict[str, Outcome] = {"1": "open", "2": "open", "4": "won", "5": "lost", "6": "omitted"}
"""LifeCycleStatusCode of an opportunity: open, in process, won, lost, stopped."""

OWN_KINDS = (*KINDS, "target", "rate")
"""Records for which the service has no set: one of the company's own may hold them."""
_SET = re.compile(r"(/sap/c4c/odata/(\w+/)+)?\w+")

_OF_SAML = ("client_id", "client_secret", "issuer", "private_key", "certificate")


class SapSignIn(SignIn):
    """A business user or a technical user, by name and password; or by a SAML assertion that we sign."""

    flow: Literal["basic", "saml_bearer"] = Field(
        default="basic", description="basic: username and password; saml_bearer: an assertion for username"
    )
    username: SecretRef = Field(description="Name of the user that we sign in as")
    password: SecretRef | None = Field(
        default=None, description="That user's password (basic); a refused one is never sent again"
    )
    client_id: SecretRef | None = Field(default=None, description="Id of the registered OAuth client (saml_bearer)")
    client_secret: SecretRef | None = Field(default=None, description="Its secret")
    issuer: str | None = Field(
        default=None, description="Issuing entity name of the registered OAuth identity provider"
    )
    private_key: SecretRef | None = Field(default=None, description="RSA key that signs for it, PEM")
    certificate: SecretRef | None = Field(default=None, description="Certificate that was uploaded for it, PEM")
    audience: str | None = Field(
        default=None, description="Local service provider of the tenant; its host where this is left out"
    )
    name_id_format: Literal["unspecified", "emailAddress"] = Field(
        default="unspecified", description="What username is to the assertion: a user id or an e-mail address"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = ("password",) if self.flow == "basic" else _OF_SAML
        if missing := [key for key in needed if getattr(self, key) is None]:
            message = f"flow {self.flow} needs {', '.join(missing)}"
            raise ValueError(message)
        return self


class SapSettings(ConnectionSettings):
    """One tenant of SAP Sales Cloud (Cloud for Customer)."""

    own_objects: ClassVar[frozenset[str]] = frozenset(OWN_KINDS)
    own_address: ClassVar[bool] = True

    kind: Literal["sap"] = "sap"
    base_url: Url
    sign_in: SapSignIn
    service: str = Field(
        default="/sap/c4c/odata/v1/c4codataapi",
        pattern=r"^/sap/c4c/odata/[\w/]+\w$",
        description="Path of the OData service: the standard one, or one of your own under /sap/c4c/odata/cust/v1/",
    )
    statuses: dict[str, Outcome] = Field(
        default=STATUSES, description="What each LifeCycleStatusCode of an opportunity means; another is not known"
    )
    visit_categories: list[str] = Field(
        default=["0001"], description="Category codes of appointments that are visits; [] takes all for meetings"
    )
    overlay_roles: list[str] = Field(
        default_factory=list, description="RoleCode of sales team members whose share is an overlay"
    )
    manager_role: str = Field(default="213", description="RoleCode of an organisational unit's manager")
    batch_parts: int = Field(default=50, ge=1, le=1000, description="Records that one $batch writes")

    @field_validator("streams")
    @classmethod
    def _sets(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, one in value.items():
            if isinstance(one, StreamSettings) and one.object is not None and not _SET.fullmatch(one.object):
                message = f"{name}: {one.object} is no set: write NameCollection, or /sap/c4c/odata/cust/v1/SERVICE/NameCollection"
                raise ValueError(message)
        return value
