"""Remote fields that a CRM does not show: what was known by them is kept, and the stream stops, rather than be emptied.

A field that was never there, that the admin did not name and that no score stands on, is left unknown and remembered. When
it turns up, the stream is read whole once, for no row says that it can be seen now.
"""

import json
from collections.abc import Collection

from connectors.base import Stream
from connectors.errors import MissingFieldsError
from connectors.mapping import paths_of, sources
from connectors.settings import ConnectionSettings
from sync.store.engine import Tx
from sync.store.state import get_meta, set_meta

NEEDED = {"opportunity": frozenset({"stage", "amount", "owner_id", "close_on", "modified_at"})}
"""Fields of ours, by record kind, without which scores would be wrong: their absence stops a first load too."""


def known_lacks(tx: Tx, connection: str, stream: Stream) -> frozenset[str] | None:
    """Remote fields that the stream has always been without; None if nobody has looked yet."""
    text = get_meta(tx, _key(connection, stream))
    return None if text is None else frozenset(json.loads(text))


def keep_lacks(tx: Tx, connection: str, stream: Stream, lacks: Collection[str]) -> None:
    """Remembers which remote fields the stream was read without."""
    text = json.dumps(sorted(lacks))
    if get_meta(tx, _key(connection, stream)) != text:
        set_meta(tx, _key(connection, stream), text)


def refuse_lacks(
    connection: ConnectionSettings, stream: Stream, lacks: Collection[str], known: frozenset[str] | None
) -> None:
    """Raises MissingFieldsError for fields that were read before (are not in ``known``), are mapped by hand, or are needed.

    ``known`` None: the stream was never read without a gap, so that nothing can be lost.
    """
    own = {
        path
        for name in (stream.kind, stream.name)
        for source in connection.fields.get(name, {}).values()
        for path in paths_of(source)
    }
    fills = {path: ours for ours, source in sources(stream, connection).items() for path in paths_of(source)}
    needed = {path for path, ours in fills.items() if ours in NEEDED.get(stream.kind, ())}
    gone = sorted(set(lacks) & (own | needed) if known is None else set(lacks) - known)
    if not gone:
        return
    what = ", ".join(f"{path} ({fills[path]})" if path in fills else path for path in gone)
    key = next((f"fields.{stream.name}.{fills[path]}" for path in gone if path in fills), f"fields.{stream.name}")
    raise MissingFieldsError(
        f"{connection.name}: {stream.name}: the CRM does not show {what}: the field is gone or renamed, or our user may not "
        f"read it. Nothing of {stream.name} was changed. Grant Read on it, or name its successor under {key} in "
        f"connections/{connection.name}.yaml; if it is gone for good: scoreback pull {connection.name} --accept-emptiness"
    )


def _key(connection: str, stream: Stream) -> str:
    return f"lacks:{connection}:{stream.name}"
