"""Signing in to Fxiaoke: the application's token, and who acts; both generations of the interface behind one way.

A token lives 7,200 s; the same one is given until its last 600 s, then a new one while the old goes on. The endpoint takes ten
calls a minute and never two at once: the base class asks one thread at a time and keeps the token for other workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.auth import TokenStore
from connectors.errors import ConfigError, ContractError
from connectors.fxiaoke.manners import IN_BODY, TOKEN_PATHS
from connectors.manners import Auth
from connectors.settings import ConnectionSettings
from connectors.tokens import TokenAuth, setting

if TYPE_CHECKING:
    from connectors.http import Http

LIFE_SECONDS, RENEWED_BEFORE_SECONDS = 7200.0, 600.0
"""How long a token lives, and how long before its end it is followed by another one."""

ACTOR_PATH = "/cgi/user/getByMobile"


@dataclass(frozen=True, slots=True)
class AppToken:
    """A self-built application's corporate token; ``sign_in.flow`` says where calls carry it."""

    header: str = "Bearer {token}"
    default_host: str | None = None
    token_url: str = ""  # by flow

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return AppTokenAuth(self, connection, tokens)


class AppTokenAuth(TokenAuth):
    """The token with its tenant and the acting employee, as they travel in each call."""

    @property
    def flow(self) -> str:
        """``body`` or ``header``."""
        return str(getattr(self.connection.sign_in, "flow", "body"))

    def form(self) -> Mapping[str, str]:
        """The application's credentials."""
        form = {
            "appId": setting(self.connection, "app_id"),
            "appSecret": setting(self.connection, "app_secret"),
            "permanentCode": setting(self.connection, "permanent_code"),
        }
        return {**form, "grantType": "app_secret"} if self.flow == "header" else form

    def identity(self) -> str:
        """What makes a stored token another one's: credentials, generation, and who acts."""
        sign_in = self.connection.sign_in
        actor = (getattr(sign_in, name, None) or "" for name in ("flow", "user", "mobile", "tenant"))
        return "\n".join([*self.form().values(), *actor])

    def url(self) -> str:
        """The token endpoint."""
        return (self.connection.base_url or "") + TOKEN_PATHS[self.flow]

    def _spelled(self, token: Mapping[str, Any]) -> dict[str, str]:
        if self.flow == "body":
            return {
                IN_BODY: token["access_token"],
                "corpId": token["tenant"],
                "currentOpenUserId": token["user"],
            }
        header = self.way.header.format(token=token["access_token"])
        return {"authorization": header, "x-fs-ea": token["tenant"], "x-fs-userid": token["user"]}

    def _fetch(self, door: "Http") -> dict[str, Any]:
        asked_at = self._clock()
        body = door.post(TOKEN_PATHS[self.flow], json=dict(self.form()), sign_in=False)
        name, whose = (IN_BODY, "corpId") if self.flow == "body" else ("accessToken", "ea")
        tenant = getattr(self.connection.sign_in, "tenant", None) if self.flow == "header" else None
        tenant = tenant or body.get(whose)
        if not body.get(name) or not tenant:
            raise ContractError(f"{self.connection.name}: the token endpoint answers without {name} or {whose}")
        life = float(body.get("expiresIn") or LIFE_SECONDS)
        return {
            "access_token": str(body[name]),
            "renew_at": asked_at + life - min(RENEWED_BEFORE_SECONDS, life / 2),
            "tenant": str(tenant),
            "user": self._actor(door, {IN_BODY: str(body[name]), "corpId": str(tenant)}),
        }

    def _actor(self, door: "Http", token: Mapping[str, str]) -> str:
        sign_in = self.connection.sign_in
        user, mobile = getattr(sign_in, "user", None), getattr(sign_in, "mobile", None)
        if user:
            return str(user)
        found = door.post(ACTOR_PATH, json={**token, "mobile": mobile}, sign_in=False).get("empList") or []
        if not found:
            raise ConfigError(
                f"{self.connection.name}: sign_in.mobile: no employee has this number. Write the number that stands in the "
                "employee's account information (员工账号), or the FSUID as sign_in.user"
            )
        return str(found[0]["openUserId"])
