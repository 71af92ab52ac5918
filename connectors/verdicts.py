"""From an unwelcome answer, or none, to the error that says what to do next, in words without secrets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests

from connectors.answers import Answer, scrub
from connectors.errors import (
    AllowanceError,
    ConfigError,
    ContractError,
    ForbiddenError,
    RejectedError,
    ResumeLostError,
    RetryLaterError,
    ScorebackError,
    SignInError,
)
from connectors.limiter import Bucket
from connectors.manners import Fault
from connectors.transport import LONGEST_BODY, TooLongError, is_untrusted_certificate, origin, reason_lost

LONGEST_WAIT_SECONDS = 60.0
"""A CRM that asks for more patience than this is left alone until the next run."""

BAD_ADDRESS = "no request can be sent to this address: correct base_url, or sign_in.host"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as asked for, however often it is sent. ``where`` names it in messages."""

    request: requests.PreparedRequest
    where: str
    bucket: Bucket
    fault: Callable[[requests.Response], Fault | None]
    sign_in: bool = True
    accept: tuple[int, ...] = ()
    stream: bool = False
    json_only: bool = False  # the caller wants JSON and nothing else
    once: bool = False  # never sent a second time, for that could do it twice

    @property
    def outlook(self) -> str:
        """What a message says of the attempts made, and of what follows."""
        if self.once:
            return "Sent once only, for it may have been done; the next run looks before it asks again"
        return "Tried several times; the next run goes on from here"


class AgainError(Exception):
    """Another attempt is worth while; ``error`` is what to raise if there is none left."""

    def __init__(self, error: ScorebackError, code: str, after_seconds: float | None = None) -> None:
        super().__init__(code)
        self.error = error
        self.code = code
        self.after_seconds = after_seconds


def refusal(call: Call, answer: Answer, fault: Fault, signed: Mapping[str, str]) -> Exception:
    """The error that ``fault`` stands for; ``signed`` are the headers whose values must not be repeated."""
    secrets = [value.split()[-1] for value in signed.values() if value.strip()]
    code, text = scrub(fault.code, secrets) or str(answer.status_code), scrub(fault.text, secrets)
    status = "" if code == str(answer.status_code) else f"{answer.status_code} "
    message = f"{call.where}: {status}{code} {text}".rstrip(" .")
    match fault.action:
        case "retry":
            return _again(call, message, code, fault.after_seconds)
        case "expired" | "sign_in":
            return SignInError(f"{message}. Check sign_in of this connection, and the app and its user in the CRM")
        case "forbidden":
            return ForbiddenError(f"{message}. Grant the right in the CRM, or switch the stream off")
        case "allowance":
            return AllowanceError(f"{message}. Nothing more is sent until the CRM has room", fault.after_seconds)
        case "rejected":
            return RejectedError(code, text or message, answer.status_code)
        case "resume_lost":
            return ResumeLostError(message)
        case "contract":
            return ContractError(message, scrub(answer.text, secrets, limit=2000))


def _again(call: Call, message: str, code: str, after_seconds: float | None) -> Exception:
    if after_seconds is not None and after_seconds > LONGEST_WAIT_SECONDS:
        return RetryLaterError(f"{message}. The CRM asks us to wait {after_seconds:.0f} s", after_seconds)
    later = RetryLaterError(f"{message}. {call.outlook}", after_seconds)
    return AgainError(later, code, after_seconds)


def torn(call: Call, answer: Answer) -> AgainError:
    """The error for a good status with a body that was cut, or is another thing than the JSON it should be."""
    text = f"{call.where}: {answer.status_code} with a body that is not JSON"
    if call.once:
        return AgainError(RetryLaterError(f"{text}. {call.outlook}"), "body_not_json")
    return AgainError(ContractError(text, scrub(answer.text, limit=2000)), "body_not_json")


def lost(call: Call, error: Exception) -> Exception:
    """The error for a request that got no whole answer, or that could not even be sent."""
    if isinstance(error, UnicodeError | requests.exceptions.InvalidHeader):
        return ConfigError(f"{call.where}: a secret of sign_in holds characters that no header carries")
    if not isinstance(error, requests.RequestException) or isinstance(error, requests.exceptions.InvalidURL):
        return ConfigError(f"{call.where}: {BAD_ADDRESS}")
    host = origin(call.request.url or "")
    if is_untrusted_certificate(error):
        return ConfigError(f"{call.where}: the certificate of {host} is not trusted: name its CA in network.ca_file")
    if isinstance(error, TooLongError):
        return ContractError(f"{call.where}: the answer of {host} does not end within {LONGEST_BODY // 2**20} MB")
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return ContractError(f"{call.where}: {host} redirects in a circle")
    reason = reason_lost(error)
    return AgainError(RetryLaterError(f"{call.where}: {reason} ({host}). {call.outlook}"), reason)
