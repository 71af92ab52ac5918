"""How a command is asked to end: Ctrl-C and SIGTERM, heard by the main thread and obeyed by the others at their next page."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}

GRACE_SECONDS = 8.0
"""How long the service's work in hand may go on after a signal. Every page and batch is a transaction: what is cut off
is repeated."""

COMMAND_GRACE_SECONDS = 3.0
"""The same for a command, at which somebody waits."""

THREADS = "connection"
"""What the names of threads that work on a connection begin with."""


class StopSignal(BaseException):
    """A signal asks us to end. It is no Exception, so that nothing on its way takes it for a failure that can be survived."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {_NAMES[signal.Signals(number)]}; what was stored stays; run it again to go on")


@contextmanager
def listening() -> Iterator[None]:
    """Raises StopSignal in the main thread at Ctrl-C and SIGTERM, again at each further one.

    A signal that we were started to ignore, as by nohup or in the background of a shell script, stays ignored.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        raise StopSignal(number)

    heard = [number for number in _NAMES if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
