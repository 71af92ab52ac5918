"""What a connection file of kind ``sap_v2`` may say beyond the common keys."""

from typing import ClassVar, Literal

from pydantic import Field

from connectors.own_streams import KINDS
from connectors.records import Outcome
from connectors.settings import ConnectionSettings, SecretRef, SignIn, Url

STATUSES: dict[str, Outcome] = {
    "OPEN": "open", "INPROCESS": "open", "IN_PROCESS": "open", "WON": "won", "LOST": "lost", "STOPPED": "omitted",
    "CANCELED": "omitted",
}  # fmt: skip
"""What the statuses of an opportunity mean."""

OWN_KINDS = (*KINDS, "target", "rate", "split")
"""Records for which no service is known: one of the company's own may hold them."""


class SapV2SignIn(SignIn):
    """A technical user, by name and password with every call, or for a token."""

    flow: Literal["basic", "token"] = Field(
        default="basic", description="basic: user and password with every call; token: for a token of the iam-service"
    )
    username: SecretRef = Field(description="Name of the user that we sign in as")
    password: SecretRef = Field(description="That user's password; a refused one is never sent again")


class SapV2Settings(ConnectionSettings):
    """One tenant of SAP Sales Cloud Version 2."""

    own_objects: ClassVar[frozenset[str]] = frozenset(OWN_KINDS)

    kind: Literal["sap_v2"] = "sap_v2"
    base_url: Url
    sign_in: SapV2SignIn
    statuses: dict[str, Outcome] = Field(
        default=STATUSES, description="What each status of an opportunity means; another is not known"
    )
    paths: dict[Literal["person", "account", "opportunity", "call", "meeting", "visit", "email", "task"], str] = Field(
        default_factory=dict, description="Where a stream is read, if not at its usual `service/entities`"
    )
