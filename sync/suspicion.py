"""What is not believed: so much that vanishes or cannot be read at once looks like a lost right or a retyped field."""

from sync.pulled import StreamOutcome

FEW = 5
"""Of so few rows none is suspicious by itself, but all of them are."""


def is_suspicious(gone: int, known: int, share: float) -> bool:
    """Whether ``gone`` of ``known`` rows is all of them, or more than ``share`` of more than a few."""
    return gone > 0 and (gone >= known or (known > FEW and gone > share * known))


def is_unreadable(outcome: StreamOutcome, share: float, *, whole: bool) -> bool:
    """Whether more than ``share`` of the rows, and more than a few, could not be understood; of a ``whole`` stream: or all."""
    everything = whole and 0 < outcome.rows == outcome.unreadable
    return everything or outcome.unreadable > max(share * outcome.rows, FEW)


def emptied(connection: str, stream: str, rows: int) -> str:
    """What to tell of a stream that had rows and now answers none."""
    return (
        f"{connection}: {stream} had {rows} rows and now answers none. Nothing was changed. Check the rights of our user; if "
        f"it is right: scoreback pull {connection} --accept-emptiness"
    )


def misread(connection: str, outcome: StreamOutcome) -> str:
    """What to tell of a stream of which too many rows could not be understood."""
    return (
        f"{connection}: {outcome.unreadable} of {outcome.rows} rows of {outcome.stream} could not be understood "
        f"({outcome.example}). What was known of them is kept, and they are read again in the next run: correct "
        f"fields.{outcome.stream} of connections/{connection}.yaml, or what the CRM has there"
    )
