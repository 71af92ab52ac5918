"""Which properties HubSpot does not have: it leaves those out of a row, and says null where one is empty."""

from collections.abc import Callable, Mapping, Sequence

import structlog

from connectors.hubspot.api import Json

log = structlog.get_logger("connectors.hubspot")


class Silence:
    """What answers leave out of what was asked for. ``definitions`` of an object are asked (1 call) only then."""

    def __init__(self, definitions: Callable[[str], Mapping[str, Json]]) -> None:
        self._definitions = definitions
        self._there: dict[str, set[str]] = {}
        self._gone: dict[tuple[str, frozenset[str]], frozenset[str]] = {}

    def lacks(self, remote: str, asked: Sequence[str], found: Sequence[Json]) -> frozenset[str]:
        """Properties of an object that were asked for and do not exist; none can be told from an answer without rows."""
        if not found:
            return frozenset()
        silent = frozenset(asked).difference(*(row["properties"] for row in found), self._there.get(remote, ()))
        if not silent:
            return frozenset()
        key = (remote, silent)
        if key not in self._gone:
            self._gone[key] = silent.difference(self._definitions(remote))
            # Some are there and yet were left out: a server that spells an empty one like that.
            self._there.setdefault(remote, set()).update(silent - self._gone[key])
        if self._gone[key]:
            log.warning("properties_absent", object=remote, lacking=sorted(self._gone[key]))
        return self._gone[key]
