"""OAuth 2.0 with a SAML assertion at SAP Cloud for Customer: acting as a named user, without that user's password."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from connectors.auth import TokenStore
from connectors.errors import ConfigError
from connectors.manners import Auth
from connectors.sap.saml import Claim, signed_assertion
from connectors.settings import ConnectionSettings
from connectors.tokens import ASSERTION_SECONDS, TokenAuth, setting

_KEYS = ("client_id", "client_secret", "username", "private_key", "certificate", "issuer", "audience", "name_id_format")


@dataclass(frozen=True, slots=True)
class SamlBearer:
    """A signed SAML assertion for a token (RFC 7522), by an OAuth client that is registered for the identity provider."""

    token_url: str = "{host}/sap/bc/sec/oauth2/token"  # noqa: S105 - a path
    header: str = "Bearer {token}"
    default_host: str | None = None

    def bind(self, connection: ConnectionSettings, tokens: TokenStore) -> Auth:
        """This way for one connection."""
        return SamlAuth(self, connection, tokens)


class SamlAuth(TokenAuth):
    """Tokens for the user that ``sign_in.username`` names."""

    def form(self) -> Mapping[str, str]:
        """The assertion is for one use: made anew for each token, and worthless after three minutes."""
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # slow to import, and used by one flow
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(self._said("private_key").encode(), None)
        except (ValueError, TypeError):  # their texts may quote the key
            key = None
        certificate = self._said("certificate")
        if not isinstance(key, RSAPrivateKey) or "-----BEGIN CERTIFICATE-----" not in certificate:
            name = self.connection.name
            raise ConfigError(
                f"{name}: sign_in needs an RSA private_key and its certificate, both in PEM without a password"
            )
        now = datetime.fromtimestamp(int(self._clock()), UTC)
        audience = getattr(self.connection.sign_in, "audience", None) or urlsplit(self.url()).netloc
        claim = Claim(
            self._said("issuer"), self._said("client_id"), self._said("username"), self._said("name_id_format"),
            audience, self.url(),
        )  # fmt: skip
        assertion = signed_assertion(claim, key, certificate, now, now + timedelta(seconds=ASSERTION_SECONDS))
        return {
            "client_id": self._said("client_id"),
            "grant_type": "urn:ietf:params:oauth:grant-type:saml2-bearer",
            "scope": "UIWC:CC_HOME",
            "assertion": base64.b64encode(assertion.encode()).decode(),
        }

    def post_headers(self) -> Mapping[str, str]:
        """The OAuth client's own name and secret."""
        pair = f"{self._said('client_id')}:{self._said('client_secret')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def identity(self) -> str:
        """Every key that the token rests on."""
        return "\n".join(self._said(key) for key in _KEYS if getattr(self.connection.sign_in, key, None) is not None)

    def _said(self, key: str) -> str:
        return setting(self.connection, key)
