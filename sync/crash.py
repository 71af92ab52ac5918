"""What nobody foresaw, as a sentence for people; the traceback belongs into the log."""

import os
import traceback
from pathlib import Path

from connectors.errors import ScorebackError

_LONGEST = 200


class UnexpectedError(ScorebackError):
    """An exception of another kind than ours, in words. ``__cause__`` is the exception."""


def unexpected(where: str, error: Exception) -> UnexpectedError:
    """The sentence: where, what is wrong, what to do. ``where`` is a connection or a command."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else str(error.filename)
        text = f"{where}: {name}: {error.strerror}. Put that right and run it again; what was stored stays"
    else:
        text = (
            f"{where}: unexpected {type(error).__name__} {_place(error)}{_said(error)}. What was stored stays. Please "
            "report this with the traceback: it is in the log, and on a terminal with scoreback --debug"
        )
    told = UnexpectedError(text)
    told.__cause__ = error
    return told


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "at an unknown place"
    last = frames[-1]
    return f"in {'/'.join(Path(last.filename).parts[-3:])}:{last.lineno}"


def _said(error: Exception) -> str:
    first = (str(error).splitlines() or [""])[0][:_LONGEST].rstrip(".")
    return f" ({first})" if first else ""
