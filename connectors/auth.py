"""The ways to sign in. A connector names one as data; ``bind`` makes it work for one connection.

    auth = RefreshToken("{host}/oauth/v2/token", header="Zoho-oauthtoken {token}")

In a template ``{host}`` is ``sign_in.host``, else the way's ``default_host``, else ``base_url``; ``{base_url}``,
``{api_version}`` and ``{sign_in.KEY}`` are the connection's own. Secrets are revealed at each use, so a rotated file
works without a restart. What a token answer says of hosts (``instance_url``) is ignored: ``base_url`` holds.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from connectors.errors import ConfigError
from connectors.manners import Auth
from connectors.settings import ConnectionSettings
from connectors.tokens import (
    ClientCredentialsAuth,
    JwtAuth,
    MemoryTokens,
    PasswordAuth,
    RefreshAuth,
    TokenStore,
    setting,
)

if TYPE_CHECKING:
    from connectors.http import Http

__all__ = [
    "Basic",
    "ByFlow",
    "ClientCredentials",
    "JwtBearer",
    "MemoryTokens",
    "Password",
    "RefreshToken",
    "SignInWay",
    "StaticToken",
    "TokenStore",
]

BEARER = "Bearer {token}"


class SignInWay(Protocol):
    """A way to sign in as a connector class declares it."""

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        ...


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token that the operator made in the CRM: service key, private app. ``secret`` is its key in ``sign_in``."""

    secret: str = "token"  # noqa: S105 - the name of a key
    header: str = BEARER

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection; nothing is stored."""
        return _Static(self, connection)


@dataclass(frozen=True, slots=True)
class _Static:
    way: StaticToken
    connection: ConnectionSettings

    def headers(self, door: "Http") -> Mapping[str, str]:
        return {"Authorization": self.way.header.format(token=setting(self.connection, self.way.secret))}

    def renew(self, door: "Http", refused: Mapping[str, str]) -> bool:
        """True if the operator has replaced the secret since."""
        return self.headers(door) != refused


@dataclass(frozen=True, slots=True)
class Basic:
    """User and password with every call (RFC 7617): ``sign_in.username`` and ``sign_in.password``."""

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection; nothing is stored."""
        return _Basic(connection)


@dataclass(frozen=True, slots=True)
class _Basic:
    connection: ConnectionSettings

    def headers(self, door: "Http") -> Mapping[str, str]:
        pair = f"{setting(self.connection, 'username')}:{setting(self.connection, 'password')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def renew(self, door: "Http", refused: Mapping[str, str]) -> bool:
        """True if the operator has replaced the password since: a refused one is not sent again, it would lock the user."""
        return self.headers(door) != refused


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749, 4.4): the service's own user. No refresh token is issued."""

    token_url: str
    header: str = BEARER
    basic: bool = True  # id and secret in an Authorization header, else in the form
    form: Mapping[str, str] = field(default_factory=dict)
    default_host: str | None = None

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return ClientCredentialsAuth(self, connection, tokens)


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """A signed assertion for a token (RFC 7523, 2.1): RS256 with ``sign_in.private_key`` for ``sign_in.username``."""

    token_url: str
    header: str = BEARER
    audience: str = "{host}"
    default_host: str | None = None

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return JwtAuth(self, connection, tokens)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token for access tokens (RFC 6749, 6), also one that changes with every use.

    A new refresh token is saved before the access token that came with it is used. The saved one goes before the
    configured one until the operator configures another.
    """

    token_url: str
    header: str = BEARER
    form: Mapping[str, str] = field(default_factory=dict)
    default_host: str | None = None

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return RefreshAuth(self, connection, tokens)


@dataclass(frozen=True, slots=True)
class Password:
    """The legacy password grant (RFC 6749, 4.3); ``sign_in.security_token`` is appended to the password if given."""

    token_url: str
    header: str = BEARER
    default_host: str | None = None

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return PasswordAuth(self, connection, tokens)


@dataclass(frozen=True, slots=True)
class ByFlow:
    """Several ways, of which ``sign_in.flow`` names one; None there means ``default``."""

    ways: Mapping[str, SignInWay]
    default: str

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """The way that the connection asks for. Raises ConfigError for one that we do not know."""
        flow = getattr(connection.sign_in, "flow", None) or self.default
        way = self.ways.get(flow)
        if way is None:
            raise ConfigError(f"{connection.name}: sign_in.flow {flow} is not one of {', '.join(sorted(self.ways))}")
        return way.bind(connection, tokens)
