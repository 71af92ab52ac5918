"""The pages of a stream. Full pulls run ahead of the one writer: a thread for each part in hand, and a short queue between.

A page is handed on when the next one is there: so the writer knows the last page of a part, and stores with its rows that
the part needs no more calls.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from connectors.base import Can, Connector, Page, Stream, Window
from sync.pull_places import Places

AHEAD = 2
"""Pages that may wait for the writer, besides the two that each thread holds."""

_PATIENCE_SECONDS = 3.0
"""How long a call under way may take to end when the pull is over; after that its thread is left to itself."""

Pull = Callable[[str], Iterator[Page]]


@dataclass(frozen=True, slots=True)
class _Fetched:
    part: str
    page: Page
    last: bool


def pages_of(
    connector: Connector, stream: Stream, window: Window, resume: str | None
) -> Generator[tuple[Page, str | None]]:
    """Each page with the text to store as the place behind it. Several parts come in the order of their arrival.

    Close it, so that its threads end.
    """
    if window.start is not None or Can.PULL_CHANGES not in connector.can:
        # One page after the other: after the first, the rest may turn out to be known.
        for page in connector.pull(stream, window, resume):
            yield page, page.resume
        return
    places = Places(connector.slices(stream, window)) if resume is None else Places.of(resume)

    def pull(part: str) -> Iterator[Page]:
        return connector.pull(stream, replace(window, part=part), places.place(part))

    with closing(_ahead(pull, places.left, connector.most_calls_at_once)) as fetched:
        for one in fetched:
            yield one.page, places.move(one.part, one.page.resume, ended=one.last)


def _ahead(pull: Pull, parts: Sequence[str], most: int) -> Generator[_Fetched]:
    walkers = _Walkers(pull, parts)
    threads = [
        threading.Thread(target=copy_context().run, args=(walkers.walk,), name=f"ahead-{number}", daemon=True)
        for number in range(min(len(parts), most))
    ]
    for thread in threads:
        thread.start()
    try:
        yield from walkers.arrivals(len(threads))
    finally:
        walkers.stop(len(threads))
        for thread in threads:
            thread.join(_PATIENCE_SECONDS)


class _Walkers:
    """What the threads of one pull share."""

    def __init__(self, pull: Pull, parts: Sequence[str]) -> None:
        self._pull = pull
        self._parts: SimpleQueue[str] = SimpleQueue()
        for part in parts:
            self._parts.put(part)
        self._arrived: SimpleQueue[_Fetched | BaseException | None] = SimpleQueue()
        self._room = threading.Semaphore(AHEAD)
        self._stopped = threading.Event()

    def arrivals(self, walking: int) -> Iterator[_Fetched]:
        """What comes, until all threads are done. Raises the first error that one of them met."""
        while walking:
            one = self._arrived.get()
            self._room.release()
            if isinstance(one, BaseException):
                raise one
            if one is None:
                walking -= 1
            else:
                yield one

    def stop(self, walking: int) -> None:
        """Nothing more is wanted: threads end after the call that they are in."""
        self._stopped.set()
        self._room.release(walking)

    def walk(self) -> None:
        """One thread's work: part after part, until none is left."""
        try:
            while not self._stopped.is_set():
                self._read(self._parts.get_nowait())
        except Empty:
            self._hand_on(None)
        except BaseException as error:  # noqa: BLE001 # the writer raises it
            self._hand_on(error)

    def _read(self, part: str) -> None:
        held: Page | None = None
        ended = False
        try:
            for page in self._pull(part):
                if held is not None:
                    self._hand_on(_Fetched(part, held, last=False))
                held = page
                if self._stopped.is_set():
                    return
            ended = True
        finally:
            if held is not None:
                self._hand_on(_Fetched(part, held, last=ended))

    def _hand_on(self, one: _Fetched | BaseException | None) -> None:
        if self._stopped.is_set():
            return
        self._room.acquire()
        self._arrived.put(one)
