"""Client credentials at Microsoft Entra ID: msal makes and reads the request, our door carries it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from connectors.answers import seconds_told
from connectors.auth import TokenStore
from connectors.errors import ConfigError, ContractError, SignInError
from connectors.manners import Auth
from connectors.settings import ConnectionSettings
from connectors.tokens import LIFE_USED, TokenAuth, setting

if TYPE_CHECKING:
    from connectors.http import Http

AUTHORITY = "https://login.microsoftonline.com"
_BAD_KEY = "sign_in.private_key is not a private key in PEM, or sign_in.thumbprint is not hexadecimal"


class _Sending(Protocol):
    """What msal takes for its transport."""

    def post(self, url: str, **kwargs: Any) -> "_Said": ...
    def get(self, url: str, **kwargs: Any) -> "_Said": ...


@dataclass(frozen=True, slots=True)
class _Said:
    """What msal reads of an answer."""

    text: str
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Nothing: the door has refused what was not good."""


@dataclass(frozen=True, slots=True)
class _DoorTransport:
    """msal's transport: the token call goes through the door, to the configured host.

    msal wants the tenant's OpenID document first, for the address of the token endpoint. It is the same for every
    tenant, so that it is said here, and a sign-in is one call.
    """

    door: "Http"
    token_url: str
    authority: str

    def post(self, url: str, *, data: Mapping[str, str] | None = None, **_kwargs: Any) -> _Said:
        """The token endpoint's answer. Raises SignInError for a refusal."""
        return _Said(json.dumps(self.door.fetch_token(self.token_url, dict(data or {}))))

    def get(self, url: str, **_kwargs: Any) -> _Said:
        """The tenant's OpenID document."""
        endpoints = {
            "authorization_endpoint": f"{self.authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{self.authority}/oauth2/v2.0/token",
            "issuer": f"{self.authority}/v2.0",
        }
        return _Said(json.dumps(endpoints))


@dataclass(frozen=True, slots=True)
class EntraCredentials:
    """The way to sign in of a Dataverse environment: ``sign_in.flow`` says by secret or by certificate."""

    token_url: str = "{host}/{tenant}/oauth2/v2.0/token"  # noqa: S105 - an address
    header: str = "Bearer {token}"
    default_host: str | None = AUTHORITY

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return EntraAuth(self, connection, tokens)


class EntraAuth(TokenAuth):
    """One application's tokens for one environment. There is no refresh token: a new one is asked for in good time."""

    def url(self) -> str:
        """The token endpoint of the tenant."""
        host = self.connection.sign_in.host or self.way.default_host
        return str(self.way.token_url.format(host=host, tenant=setting(self.connection, "tenant")))

    def form(self) -> Mapping[str, str]:
        """Nothing of ours: msal writes the form. Kept secret are the values that it is made of."""
        keys = ("client_secret",) if self._by_secret else ("private_key",)
        return {key: setting(self.connection, key) for key in keys}

    def identity(self) -> str:
        """What is configured: application, environment and secret or key."""
        scope = self.connection.base_url or ""
        return "\n".join((setting(self.connection, "client_id"), scope, *self.form().values()))

    @property
    def _by_secret(self) -> bool:
        return getattr(self.connection.sign_in, "flow", "client_secret") == "client_secret"

    def _fetch(self, door: "Http") -> dict[str, Any]:
        asked_at = self._clock()
        answer = self._acquired(door)
        name = self.connection.name
        if "error" in answer:
            raise SignInError(f"{name}: sign-in refused: {answer['error']}. Check sign_in of this connection")
        if not isinstance(answer.get("access_token"), str):
            raise ContractError(f"{name}: the token endpoint answers without an access_token")
        life = seconds_told(answer.get("expires_in"))
        token = {"access_token": answer["access_token"]}
        return token if life is None else {**token, "renew_at": asked_at + life * LIFE_USED}

    def _acquired(self, door: "Http") -> dict[str, Any]:
        import jwt  # with msal and cryptography: slow to import, and used by this kind only
        import msal

        url = self.url()
        # msal takes https authorities only; where the token call really goes is the transport's business.
        authority = f"https://{urlsplit(url).netloc}/{setting(self.connection, 'tenant')}"
        transport: _Sending = _DoorTransport(door, url, authority)
        try:
            app = msal.ConfidentialClientApplication(
                setting(self.connection, "client_id"),
                authority=authority,
                client_credential=self._credential(),
                http_client=transport,
                instance_discovery=False,
            )
            answer: dict[str, Any] = app.acquire_token_for_client(scopes=[f"{self.connection.base_url}/.default"])
        except (ValueError, TypeError, jwt.PyJWTError):  # msal's and cryptography's texts may quote the key
            if self._by_secret:
                raise ConfigError(f"{self.connection.name}: sign_in.tenant is not a directory ID") from None
            raise ConfigError(f"{self.connection.name}: {_BAD_KEY}") from None
        return answer

    def _credential(self) -> str | dict[str, str]:
        if self._by_secret:
            return setting(self.connection, "client_secret")
        return {key: setting(self.connection, key) for key in ("private_key", "thumbprint")}
