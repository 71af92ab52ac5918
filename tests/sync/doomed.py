"""A cycle in a process of its own that kills itself at a chosen point, as a power cut would."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
import sqlalchemy
import structlog

from sync.config import load_config
from sync.run import Service
from sync.store.engine import open_store

PLACES = ("before commit", "after commit", "before call", "after call")
"""Where a process can kill itself: around what the store commits and around what is sent to a CRM."""


def cycle(config: Path, place: str, number: int) -> None:
    """One cycle; dies at the ``number``-th ``place``. Exits with 1 where anything failed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    _arm(sqlalchemy.Connection, "commit", place.replace("commit", "").strip() if "commit" in place else "", number)
    _arm(requests.Session, "send", place.replace("call", "").strip() if "call" in place else "", number)
    loaded = load_config(config)
    with open_store(loaded.store_url) as store, Service(loaded, store) as service:
        outcome = service.cycle()
    os._exit(1 if outcome.failed else 0)  # not through the interpreter's end, which has nothing to do with this


def _arm(owner: type, name: str, when: str, number: int) -> None:
    real: Callable[..., Any] = getattr(owner, name)
    lock = threading.Lock()
    left = number

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        with lock:
            left -= 1
            mine = left == 0
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if mine and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, counted)
