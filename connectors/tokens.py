"""Access tokens: fetched, kept for other workers, renewed in good time, by one thread at a time."""

import base64
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from connectors.answers import scrub, seconds_told
from connectors.errors import ConfigError, SignInError
from connectors.secrets import Secret
from connectors.settings import ConnectionSettings
from connectors.transport import origin

if TYPE_CHECKING:
    from connectors.http import Http

log = structlog.get_logger("connectors.tokens")

LIFE_USED = 0.8
"""A token with a known life is renewed when this part of it is over."""

REFUSAL_HOLDS_SECONDS = 900.0
"""How long a refused sign-in is not tried again with the same secrets: repeated failures lock users."""

ASSERTION_SECONDS = 180
"""Life of a signed assertion: long enough for a slow line, short enough to be worthless later."""


class TokenUnreadableError(ConfigError):
    """What was stored of a sign-in cannot be decrypted: the key of the token store is another one."""


class TokenStore(Protocol):
    """Keeps what a CRM issues to us between runs and for other workers. ``name`` is the connection's."""

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved last; None if nothing was. Raises TokenUnreadableError."""
        ...

    def save(self, name: str, token: dict[str, Any]) -> None:
        """Keeps ``token``, durably before it returns."""
        ...


class MemoryTokens:
    """Tokens for the life of the process: enough for flows that never rotate."""

    def __init__(self) -> None:
        self._tokens: dict[str, dict[str, Any]] = {}

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved last; None if nothing was."""
        return self._tokens.get(name)

    def save(self, name: str, token: dict[str, Any]) -> None:
        """Keeps ``token``."""
        self._tokens[name] = dict(token)


def setting(connection: ConnectionSettings, key: str) -> str:
    """A key of ``sign_in``, revealed if it is a secret. Raises ConfigError that names the key if it is missing."""
    value = getattr(connection.sign_in, key, None)
    if value is None:
        raise ConfigError(f"{connection.name}: sign_in.{key} is missing")
    return value.reveal() if isinstance(value, Secret) else str(value)


def fill(template: str, connection: ConnectionSettings, default_host: str | None = None) -> str:
    """A URL template with the connection's values."""
    host = connection.sign_in.host or default_host or connection.base_url or ""
    return template.format(
        host=host,
        base_url=connection.base_url or "",
        api_version=connection.api_version or "",
        sign_in=connection.sign_in,
    )


class Way(Protocol):
    """What every way with a token endpoint says."""

    @property
    def token_url(self) -> str: ...
    @property
    def header(self) -> str: ...
    @property
    def default_host(self) -> str | None: ...


class TokenAuth(ABC):
    """Fetches, keeps and renews an access token, one thread at a time."""

    def __init__(
        self,
        way: Way,
        connection: ConnectionSettings,
        tokens: TokenStore,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.way: Any = way
        self.connection = connection
        self.tokens = tokens
        self._clock = clock
        self._lock = threading.RLock()
        self._token: dict[str, Any] | None = None
        self._refused: tuple[str, float, str] | None = None
        self._unreadable: TokenUnreadableError | None = None

    def headers(self, door: "Http") -> Mapping[str, str]:
        """The access token's header; fetches, or renews in good time."""
        with self._lock:
            token = self._token or self._saved()
            if token is None or self._clock() >= (token.get("renew_at") or float("inf")):
                token = self._renewed(door, None)
            self._token = token
            return self._spelled(token)

    def renew(self, door: "Http", refused: Mapping[str, str]) -> bool:
        """A new token, unless another thread or worker has got one since ``refused`` was sent."""
        with self._lock:
            if self._token is not None and self._spelled(self._token) != refused:
                return True
            self._token = self._renewed(door, refused)
            return True

    @abstractmethod
    def form(self) -> Mapping[str, str]:
        """What is posted to the token endpoint."""

    def post_headers(self) -> Mapping[str, str]:
        """Headers of that post."""
        return {}

    @abstractmethod
    def identity(self) -> str:
        """What is configured, as one text; only its digest is kept, to tell when the operator changed it."""

    def url(self) -> str:
        """The token endpoint."""
        return fill(self.way.token_url, self.connection, self.way.default_host)

    def _spelled(self, token: Mapping[str, Any]) -> dict[str, str]:
        return {"Authorization": self.way.header.format(token=token["access_token"])}

    def _origin(self) -> str:
        text = f"{self.url()}\n{self.identity()}"
        return blake2b(text.encode(), digest_size=16, person=b"scoreback-auth").hexdigest()

    def _saved(self) -> dict[str, Any] | None:
        try:
            token = self.tokens.load(self.connection.name)
        except TokenUnreadableError as error:
            self._drop(error)
            return None
        return token if token and token.get("origin") == self._origin() and token.get("access_token") else None

    def _drop(self, error: TokenUnreadableError) -> None:
        """Goes on without what was stored. It is replaced by the next sign-in that succeeds, and only then."""
        if self._unreadable is None:
            log.warning("stored_token_dropped", connection=self.connection.name, advice=str(error))
        self._unreadable = error

    def _renewed(self, door: "Http", refused: Mapping[str, str] | None) -> dict[str, Any]:
        origin = self._origin()
        saved = self._saved()
        if saved and self._clock() < (saved.get("renew_at") or float("inf")) and self._spelled(saved) != refused:
            return saved  # another worker was here first
        if self._refused and self._refused[0] == origin and self._clock() < self._refused[1]:
            raise SignInError(self._refused[2])
        try:
            answer = self._fetch(door)
        except SignInError as error:
            self._refused = (origin, self._clock() + REFUSAL_HOLDS_SECONDS, str(error))
            raise
        token = {**answer, "origin": origin}
        self.tokens.save(self.connection.name, token)  # before first use: a lost rotated token locks us out
        self._unreadable = None
        return token

    def _fetch(self, door: "Http") -> dict[str, Any]:
        asked_at = self._clock()
        body = door.fetch_token(self.url(), self.form(), self.post_headers())
        if isinstance(body, dict) and "error" in body:  # some vendors refuse with a 200
            text = scrub(str(body["error"]), self.form().values())
            raise SignInError(f"{self.connection.name}: sign-in refused: {text}. Check sign_in of this connection")
        if not isinstance(body, dict) or not isinstance(body.get("access_token"), str):
            # Not for each stream to find out anew: whatever answers there is asked with our secrets.
            text = f"{self.connection.name}: {origin(self.url())} answers without an access_token"
            raise SignInError(f"{text}. Check base_url and sign_in of this connection")
        token = {"access_token": body["access_token"]}
        seconds = seconds_told(body.get("expires_in"))
        if seconds is not None:
            token["renew_at"] = asked_at + seconds * LIFE_USED
        if body.get("refresh_token"):
            token["refresh_token"] = body["refresh_token"]
        return token


class ClientCredentialsAuth(TokenAuth):
    def form(self) -> Mapping[str, str]:
        form = {"grant_type": "client_credentials", **self.way.form}
        if not self.way.basic:
            form["client_id"] = setting(self.connection, "client_id")
            form["client_secret"] = setting(self.connection, "client_secret")
        return form

    def post_headers(self) -> Mapping[str, str]:
        if not self.way.basic:
            return {}
        pair = f"{setting(self.connection, 'client_id')}:{setting(self.connection, 'client_secret')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def identity(self) -> str:
        return f"{setting(self.connection, 'client_id')}\n{setting(self.connection, 'client_secret')}"


class JwtAuth(TokenAuth):
    def form(self) -> Mapping[str, str]:
        import jwt  # with cryptography: slow to import, and used by one flow

        claims = {
            "iss": setting(self.connection, "client_id"),
            "sub": setting(self.connection, "username"),
            "aud": fill(self.way.audience, self.connection, self.way.default_host),
            "exp": int(self._clock()) + ASSERTION_SECONDS,
        }
        try:
            assertion = jwt.encode(claims, setting(self.connection, "private_key"), algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):  # their texts may quote the key
            raise ConfigError(f"{self.connection.name}: sign_in.private_key is not an RSA private key in PEM") from None
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}

    def identity(self) -> str:
        return "\n".join(setting(self.connection, key) for key in ("client_id", "username", "private_key"))


class RefreshAuth(TokenAuth):
    def form(self) -> Mapping[str, str]:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._current(),
            "client_id": setting(self.connection, "client_id"),
            **self.way.form,
        }
        if getattr(self.connection.sign_in, "client_secret", None) is not None:
            form["client_secret"] = setting(self.connection, "client_secret")
        return form

    def identity(self) -> str:
        return f"{setting(self.connection, 'client_id')}\n{setting(self.connection, 'refresh_token')}"

    def _current(self) -> str:
        saved = self._saved() or {}
        return str(saved.get("refresh_token") or setting(self.connection, "refresh_token"))

    def _fetch(self, door: "Http") -> dict[str, Any]:
        used = self._current()
        try:
            token = super()._fetch(door)
        except SignInError as error:
            if self._current() == used:
                raise self._told(error) from None
            token = super()._fetch(door)  # another worker has just rotated it
        return {"refresh_token": used, **token}

    def _told(self, error: SignInError) -> SignInError:
        """With what to do where the newest refresh token is the one that we can no longer read."""
        if self._unreadable is None:
            return error
        name = self.connection.name
        return SignInError(
            f"{error}. {self._unreadable}. Or authorise {name} in the CRM once more and put the new refresh token "
            "where sign_in.refresh_token points: it is taken from there at the next try"
        )


class PasswordAuth(TokenAuth):
    def form(self) -> Mapping[str, str]:
        security_token = getattr(self.connection.sign_in, "security_token", None)
        appended = "" if security_token is None else setting(self.connection, "security_token")
        return {
            "grant_type": "password",
            "client_id": setting(self.connection, "client_id"),
            "client_secret": setting(self.connection, "client_secret"),
            "username": setting(self.connection, "username"),
            "password": setting(self.connection, "password") + appended,
        }

    def identity(self) -> str:
        keys = ("client_id", "client_secret", "username", "password")
        return "\n".join(setting(self.connection, key) for key in keys)
