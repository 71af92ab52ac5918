"""What a connection file of kind ``sap`` may say beyond the common keys."""

from typing import Literal

from pydantic import Field

from connectors.records import Outcome
from connectors.settings import ConnectionSettings, SecretRef, SignIn, Url

STATUSES: dict[str, Outcome] = {"1": "open", "2": "open", "4": "won", "5": "lost", "6": "omitted"}
"""LifeCycleStatusCode of an opportunity: open, in process, won, lost, stopped."""


class SapSignIn(SignIn):
    """A business user or a technical user, by name and password."""

    username: SecretRef = Field(description="Name of the user that we sign in as")
    password: SecretRef = Field(description="That user's password; a refused one is never sent again")


class SapSettings(ConnectionSettings):
    """One tenant of SAP Sales Cloud (Cloud for Customer)."""

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
