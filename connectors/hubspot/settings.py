"""What a connection file of kind hubspot may say beyond the common keys, and how such a connection signs in."""

import re
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from connectors.auth import RefreshToken, StaticToken, TokenStore
from connectors.hubspot.paths import DEFAULT_VERSION, Version, versioned
from connectors.hubspot.streams import INSTEAD, OWN_KINDS
from connectors.manners import Auth
from connectors.settings import ConnectionSettings, SecretRef, SignIn, StreamSettings, Url

CONNECTED = "f240bbac-87c9-4f6e-bf70-924b57d47db7"
"""HubSpot's own call outcome "Connected"; an account adds its own ones."""


class HubSpotSignIn(SignIn):
    """A service key or private-app token, or an OAuth app with its refresh token."""

    token: SecretRef | None = None
    client_id: SecretRef | None = None
    client_secret: SecretRef | None = None
    refresh_token: SecretRef | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        app = (self.client_id, self.client_secret, self.refresh_token)
        if (self.token is not None) == any(part is not None for part in app):
            message = "give either token, or client_id, client_secret and refresh_token"
            raise ValueError(message)
        if self.token is None and None in app:
            message = "an OAuth app needs client_id, client_secret and refresh_token"
            raise ValueError(message)
        return self


class HubSpotSettings(ConnectionSettings):
    """A HubSpot account."""

    object_names: ClassVar[re.Pattern[str]] = re.compile(r"[\w-]+")
    own_objects: ClassVar[frozenset[str]] = frozenset(OWN_KINDS)

    kind: Literal["hubspot"] = "hubspot"
    base_url: Url = "https://api.hubapi.com"
    sign_in: HubSpotSignIn
    api_version: Version = DEFAULT_VERSION
    connected_outcomes: list[str] = Field(
        default=[CONNECTED], description="Ids of the call outcomes (hs_call_disposition) in which both sides spoke"
    )

    def stream(self, name: str) -> StreamSettings | None:
        """Settings of a stream; None if it is off, as HubSpot's own object is where the company named one of its own."""
        replaced = self.object_of(INSTEAD.get(name, "")) is not None
        return None if replaced else super().stream(name)


class HubSpotSignInWay:
    """By token where there is one, else by refresh token, at the endpoint that ``api_version`` names."""

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        if getattr(connection.sign_in, "token", None) is not None:
            return StaticToken().bind(connection, tokens)
        path = versioned("/oauth/v3/token", connection.api_version or DEFAULT_VERSION)
        return RefreshToken(f"{{host}}{path}").bind(connection, tokens)
