"""The one HTTP door: every byte to and from a CRM passes here."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import structlog
import tenacity
from urllib3.exceptions import LocationValueError

from connectors.addresses import is_loopback
from connectors.answers import Answer, answer_of, claims_json, path_template, scrub, server_time, write_json
from connectors.errors import ConfigError, ContractError, RetryLaterError, SignInError
from connectors.limiter import Bucket, Limiter, Usage
from connectors.manners import Auth, Fault, Manners, plain_fault, token_fault
from connectors.settings import ConnectionSettings
from connectors.transport import new_session, origin
from connectors.verdicts import BAD_ADDRESS, LONGEST_WAIT_SECONDS, AgainError, Call, lost, refusal, torn

__all__ = ["Auth", "Bucket", "Fault", "Http", "Limiter", "Manners", "Usage", "plain_fault"]

log = structlog.get_logger("connectors.http")

_BACKOFF = tenacity.wait_exponential_jitter(multiplier=0.5, max=LONGEST_WAIT_SECONDS, jitter=0.5)


def _wait_seconds(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, AgainError) and error.after_seconds is not None:
        return error.after_seconds
    return _BACKOFF(state)


class Http:
    """A requests session with our manners: timeouts, verified TLS (or a private CA), proxy, sign-in, retry, limits.

    Every method returns only for a good answer, else raises one of ``connectors.errors``. ``path`` is joined to the
    connection's ``base_url``; an absolute URL of the same host (next-links) is taken as it is, of another refused.
    JSON comes back with Decimal for numbers that have a fraction. Requests are repeated unless asked for ``once``.
    """

    def __init__(
        self,
        connection: ConnectionSettings,
        manners: Manners,
        auth: Auth | None = None,
        limiter: Limiter | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = connection
        self.manners = manners
        self.auth = auth
        self.limiter = limiter or Limiter(manners.buckets, connection.allowance, sleep=sleep, monotonic=monotonic)
        self._base = connection.base_url or ""
        parts = urlsplit(self._base)
        self.root = f"{parts.scheme}://{parts.netloc}"
        self._session = new_session(connection)
        network = connection.network
        self._timeout = (network.connect_timeout.total_seconds(), network.read_timeout.total_seconds())
        self._monotonic = monotonic
        self._clock: tuple[datetime, float] | None = None
        self._log = log.bind(connection=connection.name)
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(manners.tries),
            wait=_wait_seconds,
            retry=tenacity.retry_if_exception_type(AgainError),
            sleep=sleep,
            before_sleep=self._log_retry,
            reraise=True,
        )

    def get(self, path: str, **kwargs: Any) -> Any:
        """The JSON of a GET; None for 204, 304 and no body. Takes ``params``, ``headers``, ``bucket``, ``accept``."""
        return self._json("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Any:
        """The JSON of a POST. Takes ``json`` or ``data``, and what ``get`` takes."""
        return self._json("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Any:
        """The JSON of a PUT, as ``post``."""
        return self._json("PUT", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> Any:
        """The JSON of a PATCH, as ``post``."""
        return self._json("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Any:
        """The JSON of a DELETE, as ``post``."""
        return self._json("DELETE", path, **kwargs)

    def _json(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = self.request(method, path, json_only=True, **kwargs)
        return answer.json() if answer.content and answer.status_code not in (204, 304) else None

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | list[tuple[str, Any]] | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        bucket: Bucket = "general",
        stream: bool = False,
        sign_in: bool = True,
        accept: tuple[int, ...] = (),
        json_only: bool = False,
        once: bool = False,
    ) -> Answer:
        """The answer itself. ``accept`` names statuses that are good here although ``Manners.fault`` frowns on them.

        A body that claims JSON and is not is asked for again; with ``json_only`` any other body too. With ``stream``
        the body is left unread: close the answer. ``once`` is for what must not be done twice: a lost answer, 429 and
        5xx are RetryLaterError at the first attempt, and the caller finds out what was done before it sends again.
        """
        all_headers = dict(headers or {})
        if json is not None:
            data = write_json(json)
            all_headers.setdefault("Content-Type", "application/json")
        request = self._prepared(requests.Request(method, self._url(path), all_headers, params=params or {}, data=data))
        if len(request.path_url) > self.manners.max_url:
            raise ConfigError(
                f"{self._where(request)}: the request takes {len(request.path_url)} characters, "
                f"{self.manners.max_url} are safe: map fewer fields"
            )
        where, fault = self._where(request), self.manners.fault
        return self._answer(Call(request, where, bucket, fault, sign_in, accept, stream, json_only, once))

    def fetch_token(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Any:
        """The JSON of a token endpoint, wherever it is: the one call that may leave ``base_url``'s host.

        Raises SignInError for every refusal, a redirect and a proxy's page: none is tried again later in the run, for that
        would lock the user. Retries 429 and 5xx.
        """
        if urlsplit(url).scheme != "https" and not is_loopback(url):
            name = self.connection.name
            raise ConfigError(f"{name}: {origin(url)} is no place for secrets: sign_in.host must be https")
        request = self._prepared(requests.Request("POST", url, dict(headers or {}), data=dict(form)))
        call = Call(request, self._where(request), "general", token_fault, sign_in=False, json_only=True)
        try:
            return self._answer(call).json()
        except ContractError as error:
            raise SignInError(f"{error}. Check base_url and sign_in of this connection") from None

    def session(self) -> requests.Session:
        """A requests session for vendor clients: every request it sends goes through this door, at this door's host.

        simple-salesforce writes ``https://host`` itself: scheme and host are replaced by those of ``base_url``.
        """
        from connectors.vendor import DoorSession

        return DoorSession(self)

    def server_now(self) -> datetime:
        """The CRM's clock (aware UTC, whole seconds): from the newest Date header seen plus the time since.

        Asks ``Manners.clock_path`` once if none was seen. Raises ContractError if that answer has no Date either.
        """
        if self._clock is None:
            self.request("GET", self.manners.clock_path, sign_in=False, accept=tuple(range(300, 500)))
        if self._clock is None:
            raise ContractError(f"{self.connection.name}: GET {self.manners.clock_path}: the answer has no Date header")
        moment, seen = self._clock
        return moment + timedelta(seconds=int(self._monotonic() - seen))

    def seen_now(self) -> datetime | None:
        """The CRM's clock as the answers so far tell it; None before the first one. Asks nothing."""
        if self._clock is None:
            return None
        return self.server_now()

    def hurry(self) -> None:
        """From now on tries everything at most twice: somebody waits for the answer."""
        self._retrying = self._retrying.copy(stop=tenacity.stop_after_attempt(min(2, self.manners.tries)))

    def close(self) -> None:
        """Closes the pool."""
        self._session.close()

    def _url(self, path: str) -> str:
        if "://" not in path:
            return f"{self._base}/{path.lstrip('/')}"
        if origin(path) != origin(self._base):
            raise ContractError(f"{self.connection.name}: the CRM points to another host, {origin(path)}: not followed")
        return path

    def _prepared(self, request: requests.Request) -> requests.PreparedRequest:
        try:
            return self._session.prepare_request(request)
        except requests.RequestException:  # its text holds the URL
            raise ConfigError(f"{self.connection.name}: {BAD_ADDRESS}") from None

    def _where(self, request: requests.PreparedRequest) -> str:
        return f"{self.connection.name}: {request.method} {path_template(request.url or '')}"

    def _answer(self, call: Call) -> Answer:
        try:
            # A copy, for a sign-in within an attempt makes calls of its own on this thread.
            answer = self._attempt(call) if call.once else self._retrying.copy()(self._attempt, call)
        except AgainError as again:
            error = again.error
            if isinstance(error, RetryLaterError):
                self._leave(again.code)
            raise error from None
        if self.limiter.away:
            self.limiter.away = False
            self._log.info("connection_restored")
        return answer

    def _attempt(self, call: Call) -> Answer:
        signed = self.auth.headers(self) if call.sign_in and self.auth else {}
        answer, fault = self._send(call, signed)
        if (
            fault is not None
            and fault.action == "expired"
            and call.sign_in
            and self.auth
            and self.auth.renew(self, signed)
        ):
            signed = self.auth.headers(self)
            answer, fault = self._send(call, signed)  # once: a second refusal is final
        if fault is not None:
            self._tell_limiter(call, answer, fault)
            error = refusal(call, answer, fault, signed)
            answer.close()
            raise error
        self._check_json(call, answer)
        return answer

    def _send(self, call: Call, signed: Mapping[str, str]) -> tuple[Answer, Fault | None]:
        self.limiter.admit(call.bucket)
        request = call.request.copy()
        try:
            self.manners.sign(request, signed)
            response = self._session.send(
                request,
                timeout=self._timeout,
                stream=call.stream,
                allow_redirects=call.request.method in ("GET", "HEAD"),
            )
        except (requests.RequestException, UnicodeError, LocationValueError) as error:
            raise lost(call, error) from None  # its text holds the URL with the query, or a secret
        answer = answer_of(response)
        moment = server_time(answer)
        if moment is not None and call.fault is self.manners.fault:  # not the clock of a token host
            self._clock = (moment, self._monotonic())
        self.limiter.learn(call.bucket, self.manners.usage(answer) or Usage())
        return answer, None if answer.status_code in call.accept else self._fault(call, answer)

    def _fault(self, call: Call, answer: Answer) -> Fault | None:
        try:
            if 300 <= answer.status_code < 400 and answer.status_code != 304:
                target = urljoin(answer.url, answer.headers.get("Location", ""))
                return Fault("contract", str(answer.status_code), f"it sends us to {origin(target)}: check base_url")
            return call.fault(answer)
        except ValueError:  # an error body that is not the JSON it should be, such as a proxy's page
            return plain_fault(answer)

    def _tell_limiter(self, call: Call, answer: Answer, fault: Fault) -> None:
        if fault.action == "allowance":
            self.limiter.shut(fault.after_seconds)
        elif fault.action == "retry" and answer.status_code == 429:
            self.limiter.throttled(call.bucket)

    def _check_json(self, call: Call, answer: Answer) -> None:
        """Asks again for a body that was cut or is another thing than the JSON it should be."""
        wanted = call.json_only or claims_json(answer)
        if call.stream or not wanted or answer.status_code in (204, 304) or not answer.content:
            return
        try:
            answer.json()
        except ValueError:
            raise torn(call, answer) from None

    def _log_retry(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if self.limiter.away or not isinstance(error, AgainError) or state.next_action is None:
            return  # a CRM that is away was reported when it left
        call: Call = state.args[0]
        self._log.warning(
            "request_retried",
            method=call.request.method,
            path=path_template(call.request.url or ""),
            code=scrub(error.code),
            attempt=state.attempt_number,
            after_seconds=round(state.next_action.sleep, 1),
        )

    def _leave(self, code: str) -> None:
        if not self.limiter.away:
            self.limiter.away = True
            self._log.warning("connection_lost", code=scrub(code))
