"""The pages of a stream. Where the CRM keeps us waiting, full pulls run ahead of the one writer: a thread for each part in
hand, and a short queue between.

A page is handed on when the next one is there: so the writer knows the last page of a part, and stores with its rows that
the part needs no more calls.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from time import monotonic, thread_time

from connectors.base import Can, Connector, Page, Stream, Window
from sync.pull_places import WHOLE, Places

AHEAD = 2
"""Pages that may wait for the writer, besides the two that each thread holds."""

CUT_AFTER = 16
"""Pages after which what is left of a full pull is cut into parts: to ask where costs calls, and most streams are small."""

LOOK_AFTER = 4
"""Pages after which it is known how long the CRM takes to answer."""

WAIT_SECONDS = 0.03
"""Waiting for a page, without our own work on it, that is worth threads. CRMs far away take a tenth of a second or more."""

_PATIENCE_SECONDS = 3.0
"""How long calls under way may take to end when the pull is over; after that their threads are left to themselves."""


@dataclass(frozen=True, slots=True)
class _Fetched:
    """A page of a part. ``last``: the part needs no more calls. ``cut``: the parts that take the place of its rest."""

    part: str
    page: Page
    last: bool
    cut: Sequence[str] = ()


def pages_of(
    connector: Connector, stream: Stream, window: Window, resume: str | None
) -> Generator[tuple[Page, str | None]]:
    """Each page with the text to store as the place behind it. Pages of several parts come in the order of their arrival.

    Close it, so that its threads end.
    """
    if window.start is not None or Can.PULL_CHANGES not in connector.can or connector.most_calls_at_once == 1:
        # One page after the other: after the first, the rest may turn out to be known.
        for page in connector.pull(stream, window, resume):
            yield page, page.resume
            del page
        return
    places = Places.of(resume)
    whole = connector.pull(stream, window, places.begun(WHOLE)) if places.left == [WHOLE] else None
    if whole is not None and not (yield from _is_slow(whole, places)):
        return

    def pull(part: str) -> Iterator[Page]:
        if part == WHOLE and whole is not None:
            return whole
        return connector.pull(stream, replace(window, part=part), places.begun(part))

    walkers = _Walkers(pull, lambda behind: connector.slices(stream, window, behind), connector.most_calls_at_once)
    walkers.start(places.left)
    with closing(walkers):
        for one in walkers.arrivals():
            yield one.page, places.move(one.part, one.page.resume, ended=one.last, instead=one.cut)


def _is_slow(pages: Iterator[Page], places: Places) -> Generator[tuple[Page, str | None], None, bool]:
    """Whether the CRM keeps us waiting after the first pages; where it does not, these are all pages.

    Threads cost a CRM that answers at once a third more work and gain nothing: Python runs one of them at a time.
    """
    waited, page = 0.0, None
    for _ in range(LOOK_AFTER):
        began, worked = monotonic(), thread_time()
        page = next(pages, None)
        if page is None:
            return False
        waited += (monotonic() - began) - (thread_time() - worked)
        yield page, places.move(WHOLE, page.resume, ended=False)
    if page is not None and page.resume is not None and waited / LOOK_AFTER > WAIT_SECONDS:
        return True
    for page in pages:
        yield page, page.resume
    return False


class _Walkers:
    """The threads of one full pull. They pass pages on by ``arrivals``; the first error of any of them ends it."""

    def __init__(self, pull: Callable[[str], Iterator[Page]], cut: Callable[[str], Sequence[str]], most: int) -> None:
        self._pull = pull
        self._cut = cut
        self._most = most
        self._parts: SimpleQueue[str] = SimpleQueue()
        self._arrived: SimpleQueue[_Fetched | BaseException | None] = SimpleQueue()
        self._room = threading.Semaphore(AHEAD)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, parts: Sequence[str]) -> None:
        """Has these parts read too, by as many threads as there may be."""
        for part in parts:
            self._parts.put(part)
        for _ in range(min(len(parts), self._most - len(self._threads))):
            thread = threading.Thread(target=copy_context().run, args=(self._walk,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def arrivals(self) -> Iterator[_Fetched]:
        """What comes, until all threads are done. Raises the first error that one of them met."""
        done = 0
        while done < len(self._threads):  # a thread that starts others does so before it is done
            one = self._arrived.get()
            self._room.release()
            if isinstance(one, BaseException):
                raise one
            if one is None:
                done += 1
            else:
                yield one

    def close(self) -> None:
        """Nothing more is wanted: threads end after the call that they are in."""
        self._stopped.set()
        self._room.release(self._most)
        until = monotonic() + _PATIENCE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))

    def _walk(self) -> None:
        """One thread's work: part after part, until none is left."""
        try:
            while (part := self._next()) is not None:
                self._read(part)
        except BaseException as error:  # noqa: BLE001 # the writer raises it
            self._hand_on(error)
        else:
            self._hand_on(None)

    def _next(self) -> str | None:
        try:
            return None if self._stopped.is_set() else self._parts.get_nowait()
        except Empty:
            return None

    def _read(self, part: str) -> None:
        held: Page | None = None
        cut: Sequence[str] = ()
        ended = False
        try:
            for number, page in enumerate(self._pull(part), 1):
                if held is not None:
                    self._hand_on(_Fetched(part, held, last=False))
                held = page
                if self._stopped.is_set():
                    return
                if part == WHOLE and number == CUT_AFTER and page.resume is not None:
                    cut = self._cut(page.resume)
                    if cut:
                        break
            ended = True
        finally:
            if held is not None:
                self._hand_on(_Fetched(part, held, ended, cut))
        self.start(cut)

    def _hand_on(self, one: _Fetched | BaseException | None) -> None:
        if not self._stopped.is_set():
            self._room.acquire()
            self._arrived.put(one)
