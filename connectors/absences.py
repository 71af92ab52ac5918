"""Features that a CRM was found not to have: asked for again when the metadata is due, not in every cycle."""

from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta

_KEY = "absent:"


class Absences:
    """Which optional streams have no remote object, and since when; kept in what a connector has ``learnt``."""

    def __init__(self, learnt: MutableMapping[str, str], every: timedelta) -> None:
        self._learnt = learnt
        self._every = every

    def note(self, stream: str) -> None:
        """The stream's object is not there, or not for us, as of now."""
        self._learnt[_KEY + stream] = datetime.now(UTC).isoformat()

    def holds(self, stream: str) -> bool:
        """Whether the stream's object was missing so lately that asking again would be a wasted call."""
        seen = self._learnt.get(_KEY + stream)
        return seen is not None and datetime.now(UTC) - datetime.fromisoformat(seen) < self._every
