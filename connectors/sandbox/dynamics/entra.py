"""Microsoft Entra ID in front of an environment: client credentials by secret or certificate, discovery, token checks.

msal refuses authorities of ``http``: discovery answers name this host with ``https``, and the client that msal is given
brings such calls here over plain HTTP.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid4, uuid5

from connectors.sandbox.routing import Reply, Request, Route

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_PATH = "/{tenant}/oauth2/v2.0/token"  # noqa: S105 - a path, not a secret


@dataclass(slots=True)
class Entra:
    """One tenant with one app registration."""

    now: Callable[[], datetime]
    tenant: str = "sandbox"
    client_id: str = "sandbox"
    secret: str = "sandbox"  # noqa: S105 - the word every emulator takes
    public_key: str | None = None
    """PEM of the app's certificate or key; None: any signature of an assertion is taken."""
    ttl: int = 3599
    revoked: Callable[[], bool] = lambda: False
    issued: dict[str, datetime] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        """Sign-in endpoints."""
        return [
            ("POST", TOKEN_PATH, self.token),
            ("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self.configuration),
            ("GET", "/{tenant}/.well-known/openid-configuration", self.configuration),
            ("GET", "/common/discovery/instance", self.instance),
        ]

    def configuration(self, request: Request, tenant: str) -> Reply:
        """OpenID metadata of the tenant."""
        if not self._known(tenant):
            return self._refuse(*_no_tenant(tenant))
        base = f"https://{request.headers.get('host', 'login.microsoftonline.com')}/{tenant}"
        return _json(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "private_key_jwt",
                    "client_secret_basic",
                ],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            }
        )

    def instance(self, request: Request) -> Reply:
        """Where the tenant of an authorize endpoint has its metadata."""
        where = urlsplit(request.first("authorization_endpoint", "") or "")
        tenant = where.path.strip("/").partition("/")[0]
        if not where.netloc or not tenant:
            return _json(
                {"error": "invalid_instance", "error_description": "AADSTS50049: Unknown or invalid instance."}, 400
            )
        return _json(
            {
                "tenant_discovery_endpoint": f"https://{where.netloc}/{tenant}/v2.0/.well-known/openid-configuration",
                "api-version": "1.1",
                "metadata": [
                    {"preferred_network": where.netloc, "preferred_cache": where.netloc, "aliases": [where.netloc]}
                ],
            }
        )

    def token(self, request: Request, tenant: str) -> Reply:
        """An access token for this environment."""
        form = request.form()
        problem = self._problem(request, tenant, form)
        if problem:
            return self._refuse(*problem)
        value = self._make(request, tenant)
        return _json(
            {"token_type": "Bearer", "expires_in": self.ttl, "ext_expires_in": self.ttl, "access_token": value}
        )

    def _problem(self, request: Request, tenant: str, form: dict[str, str]) -> tuple[int, str, int, str] | None:
        if not self._known(tenant):
            return _no_tenant(tenant)
        if "grant_type" not in form:
            return (
                400,
                "invalid_request",
                900144,
                "The request body must contain the following parameter: 'grant_type'.",
            )
        if form["grant_type"] != "client_credentials":
            return (
                400,
                "unsupported_grant_type",
                70003,
                f"The app requested an unsupported grant type '{form['grant_type']}'.",
            )
        if not form.get("client_id"):
            return 400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'."
        if form["client_id"] != self.client_id:
            text = f"Application with identifier '{form['client_id']}' was not found in the directory '{tenant}'."
            return 400, "unauthorized_client", 700016, text
        return self._proof(request, form) or self._scope(request, form)

    def _proof(self, request: Request, form: dict[str, str]) -> tuple[int, str, int, str] | None:
        if self.revoked():
            text = f"The provided client secret keys for app '{self.client_id}' are expired."
            return 401, "invalid_client", 7000222, text
        if "client_assertion" in form:
            return self._assertion(request, form)
        if not form.get("client_secret"):
            text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            return 401, "invalid_client", 7000218, text
        if form["client_secret"] != self.secret:
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
                f"not the client secret ID, for a secret added to app '{self.client_id}'."
            )
            return 401, "invalid_client", 7000215, text
        return None

    def _assertion(self, request: Request, form: dict[str, str]) -> tuple[int, str, int, str] | None:
        bad = 401, "invalid_client", 700027
        if form.get("client_assertion_type") != ASSERTION:
            return (
                400,
                "invalid_request",
                900144,
                "The request body must contain the following parameter: 'client_assertion_type'.",
            )
        claims = self._claims(form["client_assertion"])
        if claims is None:
            return *bad, "Client assertion failed signature validation."
        if claims.get("iss") != self.client_id or claims.get("sub") != self.client_id:
            return *bad, "Client assertion contains an invalid issuer or subject."
        if urlsplit(str(claims.get("aud"))).path.rstrip("/") != request.path.rstrip("/"):
            return *bad, "Client assertion audience claim does not match the token endpoint."
        if not isinstance(claims.get("exp"), int | float) or claims["exp"] < self.now().timestamp():
            return 401, "invalid_client", 700024, "Client assertion is not within its valid time range."
        return None

    def _claims(self, assertion: str) -> dict[str, Any] | None:
        import jwt  # here alone: sign-in by secret needs no cryptography

        unchecked: Any = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            header = jwt.get_unverified_header(assertion)
            if header.get("alg") not in {"RS256", "PS256"} or not {"x5t", "x5t#S256"} & set(header):
                return None
            if self.public_key is None:
                found: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
                return found
            found = jwt.decode(assertion, self.public_key, algorithms=["RS256", "PS256"], options=unchecked)
        except jwt.InvalidTokenError:
            return None
        return found

    def _scope(self, request: Request, form: dict[str, str]) -> tuple[int, str, int, str] | None:
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            return (
                400,
                "invalid_scope",
                1002012,
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
            )
        resource = urlsplit(scope.removesuffix("/.default"))
        if resource.netloc.lower() != (request.headers.get("host") or resource.netloc).lower() or resource.path.strip(
            "/"
        ):
            text = f"The resource principal named {scope.removesuffix('/.default')} was not found in the tenant named {self.tenant}."
            return 400, "invalid_resource", 500011, text
        return None

    def _known(self, tenant: str) -> bool:
        return tenant == self.tenant

    def _make(self, request: Request, tenant: str) -> str:
        head = {"typ": "JWT", "alg": "RS256"}
        until = self.now() + timedelta(seconds=self.ttl)
        body = {
            "aud": f"https://{request.headers.get('host')}",
            "tid": tenant,
            "appid": self.client_id,
            "exp": int(until.timestamp()),
            "jti": str(uuid4()),
        }
        value = ".".join(_packed(part) for part in (head, body)) + ".c2FuZGJveA"
        self.issued[value] = until
        return value

    def check(self, request: Request) -> Reply | None:
        """401 with an empty body without a valid token."""
        kind, _, value = str(request.headers.get("authorization", "")).partition(" ")
        until = self.issued.get(value)
        valid = value == "sandbox" or (until is not None and until > self.now())
        if kind.lower() == "bearer" and valid and not self.revoked():
            return None
        return self.challenge(request)

    def challenge(self, request: Request) -> Reply:
        """What a call without a valid token meets."""
        host = request.headers.get("host", "")
        where = f"Bearer authorization_uri=https://{host}/{self.tenant}/oauth2/authorize, resource_id=https://{host}/"
        return Reply(401, None, {"WWW-Authenticate": where})

    def _refuse(self, status: int, error: str, code: int, text: str) -> Reply:
        moment = self.now()
        trace = str(uuid5(NAMESPACE_URL, f"{code}/{moment.isoformat()}"))
        shown = moment.strftime("%Y-%m-%d %H:%M:%SZ")
        words = f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {trace} Timestamp: {shown}"
        body = {
            "error": error,
            "error_description": words,
            "error_codes": [code],
            "timestamp": shown,
            "trace_id": trace,
            "correlation_id": trace,
        }
        return _json(body, status)


def _no_tenant(tenant: str) -> tuple[int, str, int, str]:
    text = f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
    return 400, "invalid_request", 90002, text


def _json(body: dict[str, Any], status: int = 200) -> Reply:
    return Reply(
        status, body, {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store, no-cache"}
    )


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
