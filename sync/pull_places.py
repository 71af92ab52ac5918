"""How far a full pull has come in each of its parts, as the one text that a stream's state keeps."""

import json
from collections.abc import Sequence
from typing import Self

WHOLE = ""
"""The one part of a stream that is not cut."""

_SEVERAL = "parts:"
"""Begins a text that is no connector's own: the places of several parts, or of none that is left."""


class Places:
    """Parts that are not read to their end yet, and behind which page each goes on; None: at its beginning."""

    def __init__(self, parts: Sequence[str]) -> None:
        self._left: dict[str, str | None] = dict.fromkeys(parts)

    @classmethod
    def of(cls, text: str) -> Self:
        """What ``text`` said."""
        places = cls(())
        places._left = json.loads(text.removeprefix(_SEVERAL)) if text.startswith(_SEVERAL) else {WHOLE: text}
        return places

    @property
    def left(self) -> list[str]:
        """Parts to be read."""
        return list(self._left)

    def place(self, part: str) -> str | None:
        """Where a part goes on."""
        return self._left[part]

    def move(self, part: str, place: str | None, *, ended: bool) -> str | None:
        """Notes how far a part has come; gives the text of all places."""
        if ended:
            self._left.pop(part, None)
        else:
            self._left[part] = place
        return self._left[WHOLE] if WHOLE in self._left else _SEVERAL + json.dumps(self._left)
