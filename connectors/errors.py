"""Errors, typed by what to do next. Only ``sync/cli`` turns one into printed words."""


class ScorebackError(Exception):
    """Anything we raise on purpose. The message says where, what is wrong and what to do."""


class ConfigError(ScorebackError):
    """Fix the configuration, then run again."""


class MissingFieldsError(ConfigError):
    """Remote fields that the mapping needs are gone or hidden: this stream stops, before it reads them as empty."""


class SignInError(ScorebackError):
    """The CRM refused us: stop this connection and tell a person. Never retried, or the CRM may lock the user."""


class ForbiddenError(ScorebackError):
    """Signed in, but not allowed to read or write this stream: the stream is off until somebody grants the right."""


class RetryLaterError(ScorebackError):
    """The CRM is away or busy. ``after_seconds`` is when it is worth another try, ``None`` when the CRM did not say."""

    def __init__(self, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.after_seconds = after_seconds


class AllowanceError(RetryLaterError):
    """Our share of the day's calls is used up, or the CRM says that the day is. Nothing more until it resets."""


class RejectedError(ScorebackError):
    """The CRM refused this request for good: this record only. ``code`` and ``text`` are the CRM's own."""

    def __init__(self, code: str, text: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status


class ContractError(ScorebackError):
    """An answer we do not understand. ``body`` keeps its beginning for the report; the stream stops."""

    def __init__(self, message: str, body: str = "") -> None:
        super().__init__(message)
        self.body = body[:2000]


class MappingError(ScorebackError):
    """One remote row does not fit our record: this row only. The message names field and type, never the value."""

    def __init__(self, message: str, remote_id: str = "") -> None:
        super().__init__(message)
        self.remote_id = remote_id


class ResumeLostError(ScorebackError):
    """The CRM no longer knows our place in a window: the framework reads that window again from its start."""
