"""What a connection file of kind ``sap_v2`` may say beyond the common keys."""

import re
from typing import Annotated, ClassVar, Literal

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


_SERVICE = re.compile(r"[\w-]+(/[\w-]+)*")
"""A path below ``/sap/c4c/api/v1/`` as ``service/entities``, which leads nowhere else."""

_Path = Annotated[str, Field(pattern=f"^{_SERVICE.pattern}$")]


class SapV2SignIn(SignIn):
    """A technical user, by name and password with every call, or for a token."""

    flow: Literal["basic", "token"] = Field(
        default="basic", description="basic: user and password with every call; token: for a token of the iam-service"
    )
    username: SecretRef = Field(description="Name of the user that we sign in as")
    password: SecretRef = Field(description="That user's password; a refused one is never sent again")


class SapV2Settings(ConnectionSettings):
    """One tenant of SAP Sales Cloud Version 2."""

    object_names: ClassVar[re.Pattern[str]] = _SERVICE
    own_objects: ClassVar[frozenset[str]] = frozenset(OWN_KINDS)
    own_address: ClassVar[bool] = True

    kind: Literal["sap_v2"] = "sap_v2"
    base_url: Url
    sign_in: SapV2SignIn
    statuses: dict[str, Outcome] = Field(
        default=STATUSES, description="What each status of an opportunity means; another is not known"
    )
    paths: dict[Literal["person", "account", "opportunity", "call", "meeting", "visit", "email", "task"], _Path] = (
        Field(default_factory=dict, description="Where a stream is read, if not at its usual `service/entities`")
    )
