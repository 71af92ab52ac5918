"""Which kinds of CRM there are, and how one is opened. A package adds a kind by an entry point of its own."""

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from connectors.auth import MemoryTokens, TokenStore
from connectors.base import Connector
from connectors.errors import ConfigError
from connectors.http import Http
from connectors.limiter import Limiter
from connectors.settings import ConnectionSettings

GROUP = "scoreback.connectors"


def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def kinds() -> list[str]:
    """Every kind that a connection file may name, sorted. Imports no connector."""
    return sorted(_found())


@cache
def connector_class(kind: str) -> type[Connector]:
    """The connector of a kind; imported now. Raises ConfigError with the nearest kind for an unknown one."""
    entry = _found().get(kind)
    if entry is None:
        near = difflib.get_close_matches(kind, kinds(), n=1)
        advice = f"Did you mean {near[0]}?" if near else f"There are {', '.join(kinds())}."
        raise ConfigError(f"kind {kind} is not one we know. {advice}")
    try:
        loaded = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"kind {kind}: {entry.value} cannot be loaded: {error}. Install the package again") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Connector)):
        raise ConfigError(f"kind {kind}: {entry.value} is no connector. Ask the author of its package")
    return loaded


def limiter_for(settings: ConnectionSettings) -> Limiter:
    """The process's one limiter for what the CRM counts together: an address, or a sign-in at an address."""
    connector = connector_class(settings.kind)
    key = f"{settings.kind} {(settings.base_url or '').rstrip('/').lower()}"
    if connector.limits_by == "sign_in":
        key += f" {settings.sign_in.model_dump_json()}"  # secrets dump as references
    return Limiter.shared(key, connector.manners.buckets, settings.allowance)


def open_connector(
    settings: ConnectionSettings, *, token_store: TokenStore | None = None, limiter: Limiter | None = None
) -> Connector:
    """A connector ready to use; close it after. ``settings`` is of the class that it names. Sends nothing."""
    connector = connector_class(settings.kind)
    auth = None if connector.auth is None else connector.auth.bind(settings, token_store or MemoryTokens())
    door = Http(settings, connector.manners, auth, limiter or limiter_for(settings))
    return connector(settings, door)
