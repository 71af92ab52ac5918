"""Where the streams of one connection stand: read, kept, and what is noted of their failures."""

from datetime import UTC, datetime

from sync.store.books import StreamState
from sync.store.engine import Store, Tx
from sync.store.state import load_state, save_state


class StreamBooks:
    """The books of one connection, by stream; a reconciliation has a book of its own beside its stream's."""

    def __init__(self, store: Store, connection: str) -> None:
        self.store = store
        self.connection = connection

    def of(self, stream: str) -> StreamState:
        """Where a stream stands."""
        with self.store.reading() as tx:
            return load_state(tx, self.connection, stream)

    def keep(self, state: StreamState, tx: Tx | None = None, **values: object) -> None:
        """Stores a state with other ``values``, in a transaction of its own unless ``tx`` is given."""
        for name, value in values.items():
            setattr(state, name, value)
        if tx is not None:
            save_state(tx, state)
            return
        with self.store.writing() as own:
            save_state(own, state)

    def note_error(self, stream: str, error: str | None, *, stopped_reason: str | None = None) -> None:
        """Keeps a stream's error for ``status``, or forgets the one before."""
        state = self.of(stream)
        if error != state.last_error:
            reason = stopped_reason or state.stopped_reason
            at = datetime.now(UTC) if error else None
            self.keep(state, last_error=error, last_error_at=at, stopped_reason=reason)
