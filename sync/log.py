"""Log events: stable ``noun_verb`` names, values as keys; JSON off a terminal, readable lines on one."""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

from sync.terminal import visible

_SECRET_KEYS = frozenset({"token", "access_token", "refresh_token", "client_secret", "authorization", "password"})


def _without_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: "hidden" if key.lower() in _SECRET_KEYS else value for key, value in event.items()}


def _visible(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """What a CRM says must not steer the terminal that the log is read on."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in event.items()}


def _without_errors(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if event["level"] == "error":
        raise structlog.DropEvent
    return event


def is_terminal() -> bool:
    """Whether a person reads the log as it comes."""
    return sys.stderr.isatty()


def configure_log(level: int = logging.INFO, *, told: bool = False) -> None:
    """Sends log events from ``level`` on to standard error: JSON unless that is a terminal.

    ``told``: the command tells every error in words itself, so that a terminal need not show it a second time.
    """
    as_json = not is_terminal()
    renderer: Callable[..., Any] = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *([_without_errors] if told and not as_json else []),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            structlog.processors.format_exc_info,
            _visible,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
