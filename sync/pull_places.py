"""How far a full pull has come in each of its parts, as the one text that a stream's state keeps."""

import json
from collections.abc import Sequence
from typing import Self

WHOLE = ""
"""The one part of a stream that is not cut."""

_SEVERAL = "parts:"
"""Begins a text that is no connector's own: the places in several parts, or that no part is left."""


class Places:
    """Parts that are not read to their end yet, and the place where each goes on; None: at its beginning."""

    def __init__(self, left: dict[str, str | None]) -> None:
        self._left = left

    @classmethod
    def of(cls, text: str | None) -> Self:
        """What a text of ``move`` said, or a connector's own place; None: nothing was read."""
        if text is None or not text.startswith(_SEVERAL):
            return cls({WHOLE: text})
        return cls(json.loads(text.removeprefix(_SEVERAL)))

    @property
    def left(self) -> list[str]:
        """Parts to be read."""
        return list(self._left)

    def begun(self, part: str) -> str | None:
        """Where a part goes on."""
        return self._left.get(part)

    def move(self, part: str, place: str | None, *, ended: bool, instead: Sequence[str] = ()) -> str | None:
        """Notes how far a part has come, or which parts take the place of its rest; gives the text of all places."""
        if ended:
            del self._left[part]
            self._left.update(dict.fromkeys(instead))
        else:
            self._left[part] = place
        return self._left[WHOLE] if WHOLE in self._left else _SEVERAL + json.dumps(self._left)
