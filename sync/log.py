"""Log events: stable ``noun_verb`` names, values as keys; JSON off a terminal, readable lines on one."""

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = frozenset({"token", "access_token", "refresh_token", "client_secret", "authorization", "password"})


def _without_secrets(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: "hidden" if key.lower() in _SECRET_KEYS else value for key, value in event.items()}


def configure_log(level: int = logging.INFO) -> None:
    """Sends log events from ``level`` on to standard error: JSON unless that is a terminal."""
    as_json = not sys.stderr.isatty()
    renderer: Callable[..., Any] = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
