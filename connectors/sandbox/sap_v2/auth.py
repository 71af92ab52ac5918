"""Sign-in of version 2: Basic on every call, or a token of the iam-service as Bearer or in ``x-sap-crm-token``."""

import base64
import binascii
import json
import time

from connectors.sandbox.routing import Reply, Request

_WORD = "sandbox"
_LIFE_SECONDS = 3600


class SignIn:
    """Who may call. User, password and a token that never runs out are all ``sandbox``."""

    def __init__(self, token_ttl: int | None) -> None:
        self.life = _LIFE_SECONDS if token_ttl is None else token_ttl
        self.tokens: dict[str, float] = {}
        self._made = 0

    def accepts(self, request: Request) -> bool:
        """Whether the call carries a valid sign-in; a token beside Basic must be valid as well."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        beside = request.headers.get("x-sap-crm-token")
        if scheme.lower() == "bearer":
            return self._valid(rest)
        return (
            scheme.lower() == "basic"
            and _decoded(rest) == f"{_WORD}:{_WORD}"
            and (beside is None or self._valid(beside))
        )

    def _valid(self, token: str) -> bool:
        return token == _WORD or self.tokens.get(token, 0) > time.monotonic()

    def expire(self, request: Request) -> None:
        """Forgets the token of a call."""
        for token in (
            request.headers.get("authorization", "").partition(" ")[2],
            request.headers.get("x-sap-crm-token", ""),
        ):
            self.tokens.pop(token, None)

    def token(self, request: Request, now: float) -> Reply | None:
        """The answer of the iam-service, whose token tells its end in ``exp``; None: no Basic sign-in. ``now``: seconds since 1970."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic" or _decoded(rest) != f"{_WORD}:{_WORD}":
            return None
        self._made += 1
        claims = {"sub": _WORD, "iat": int(now), "exp": int(now) + self.life, "jti": self._made}
        parts = (json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps(claims), "not signed")
        token = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
        self.tokens[token] = time.monotonic() + self.life
        return Reply(200, {"value": {"access_token": token}})


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
