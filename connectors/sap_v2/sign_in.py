"""Tokens of the identity service of SAP Sales Cloud Version 2, for which user and password go over the line once an hour."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.auth import Basic, TokenStore
from connectors.errors import SignInError
from connectors.manners import Auth
from connectors.settings import ConnectionSettings
from connectors.tokens import LIFE_USED, TokenAuth, setting

if TYPE_CHECKING:
    from connectors.http import Http


@dataclass(frozen=True, slots=True)
class IamToken:
    """A JSON Web Token by user and password: ``{"value": {"access_token"}}``, which tells its own end."""

    token_url: str = "{base_url}/sap/c4c/api/v1/iam-service/token"  # noqa: S105 - a path
    header: str = "Bearer {token}"
    default_host: str | None = None

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return IamAuth(self, connection, tokens)


class IamAuth(TokenAuth):
    """Tokens for ``sign_in.username``."""

    def form(self) -> Mapping[str, str]:
        """Nothing: the service is asked by GET."""
        return {}

    def identity(self) -> str:
        """User and password."""
        return "\n".join(setting(self.connection, key) for key in ("username", "password"))

    def _fetch(self, door: "Http") -> dict[str, Any]:
        asked_at = self._clock()
        basic = Basic().bind(self.connection, self.tokens).headers(door)
        body = door.get(self.url(), headers=basic, sign_in=False)
        value = body.get("value") if isinstance(body, dict) else None
        token = value.get("access_token") if isinstance(value, dict) else None
        if not isinstance(token, str):
            raise SignInError(
                f"{self.connection.name}: the iam-service answers without an access_token. Check base_url"
            )
        life = _life(token)
        return {"access_token": token, **({} if life is None else {"renew_at": asked_at + life * LIFE_USED})}


def _life(token: str) -> float | None:
    """Seconds from the issue of a token to its end, by its own claims; None where it does not tell: 401 will."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return float(claims["exp"]) - float(claims["iat"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return None
