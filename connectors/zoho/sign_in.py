"""Zoho's sign-in: a refresh token for access tokens of an hour, of which an org grants ten in ten minutes."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connectors.auth import RefreshToken, TokenStore
from connectors.errors import RetryLaterError, SignInError
from connectors.manners import Auth
from connectors.settings import ConnectionSettings
from connectors.tokens import RefreshAuth

if TYPE_CHECKING:
    from connectors.http import Http

WINDOW_SECONDS = 600.0
PER_WINDOW = 8
"""Of the ten that Zoho grants to one refresh token in ten minutes; two are left for a person who tries something."""

_WAY = RefreshToken("{host}/oauth/v2/token", header="Zoho-oauthtoken {token}")


class ZohoSignInWay:
    """By refresh token, with the discipline that Zoho asks for."""

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return ZohoAuth(connection, tokens)


class ZohoAuth(RefreshAuth):
    """A refresh token, never used so often that Zoho blocks it. When it was used is kept with the token for all workers."""

    def __init__(
        self, connection: ConnectionSettings, tokens: TokenStore, *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(_WAY, connection, tokens, clock=clock)
        self._blocked_until = 0.0

    def _fetch(self, door: "Http") -> dict[str, Any]:
        now = self._clock()
        issued = [at for at in (self._saved() or {}).get("issued", []) if at > now - WINDOW_SECONDS]
        free_at = issued[0] + WINDOW_SECONDS if len(issued) >= PER_WINDOW else 0.0
        free_at = max(free_at, self._blocked_until)
        if free_at > now:
            raise self._later(free_at - now)
        try:
            token = super()._fetch(door)
        except SignInError as error:
            # The eleventh token in ten minutes: nothing is wrong with the secrets, and asking again prolongs it.
            if "Access Denied" not in str(error) and "too many requests" not in str(error):
                raise
            self._blocked_until = now + WINDOW_SECONDS
            raise self._later(WINDOW_SECONDS) from None
        return {**token, "issued": [*issued, now]}

    def _later(self, seconds: float) -> RetryLaterError:
        name = self.connection.name
        text = f"{name}: Zoho grants ten access tokens in ten minutes, and they are spent: asked again after that"
        return RetryLaterError(text, seconds)
