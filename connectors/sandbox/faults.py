"""Trouble on demand: what an emulator can be told to do wrong, how often, and to whom.

A fault is armed by name (``POST /__faults`` or ``Emulator(faults=[...])``) and strikes calls whose ``METHOD /path``
contains ``match``: it lets ``after`` of them pass, spoils the next ``times``, and is spent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fault:
    """One armed fault. ``times`` None: until cleared. ``extra`` holds what only this fault understands."""

    name: str
    times: int | None = 1
    after: int = 0
    match: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The fault's ``seconds``, or the usual value of its kind."""
        return float(self.extra.get("seconds", CATALOGUE[self.name].seconds))


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What a fault does, in a sentence; ``times`` when nothing else is said; its usual ``seconds``."""

    sentence: str
    times: int | None = 1
    seconds: float = 0.0


CATALOGUE: dict[str, FaultKind] = {
    "expired_token": FaultKind("The call is answered as if its access token had run out."),
    "revoked": FaultKind("Every call and the token endpoint refuse the sign-in.", times=None),
    "too_many": FaultKind("The short rate limit is hit; the answer gives no hint how long to wait."),
    "too_many_retry_after": FaultKind("The short rate limit is hit; Retry-After says 1 second."),
    "day_limit": FaultKind("The allowance of the day is spent.", times=None),
    "server_error": FaultKind("The server fails with status 500."),
    "bad_gateway": FaultKind("A proxy answers 502 in HTML."),
    "slow": FaultKind("The answer comes late by `seconds`.", times=None, seconds=0.5),
    "cut": FaultKind("The connection is closed in the middle of the body."),
    "truncated": FaultKind("The body ends in the middle although the HTTP around it is well formed."),
    "clock_skew": FaultKind("The server's clock is ahead by `seconds`.", times=None, seconds=600),
    "deleted_meanwhile": FaultKind("A record of the next write batch is deleted just before it is written."),
    "refused_row": FaultKind("One row of the next write batch is refused for good."),
    "locked_row": FaultKind("One row of the next write batch is locked; a later try works."),
    "half_batch": FaultKind("Every second row of the next write batch is refused for good."),
    "missing_field": FaultKind("The remote `field` vanishes (of all objects, or of `object`).", times=None),
    "wrong_type": FaultKind("The remote `field` is answered in another type.", times=None),
    "empty": FaultKind("Lists and queries answer nothing.", times=None),
    "late_commit": FaultKind("The next edit shows up with a stamp `seconds` older than it should have.", seconds=300),
    "no_permission": FaultKind("Calls that `match`, or that name the remote `object`, are forbidden.", times=None),
}
"""The faults every emulator knows."""


class Faults:
    """The faults that are armed now."""

    def __init__(self, kinds: Mapping[str, FaultKind], armed: Sequence[str] = ()) -> None:
        self.kinds = dict(kinds)
        self.armed: list[Fault] = []
        for text in armed:
            name, _, options = text.partition(":")
            self.arm({"name": name, **dict(pair.split("=", 1) for pair in options.split(",") if pair)})

    def arm(self, order: Mapping[str, Any]) -> Fault:
        """Arms a fault from ``{"name", "times", "after", "match", ...}``. KeyError: no fault of that name."""
        extra = dict(order)
        name = str(extra.pop("name"))
        times = extra.pop("times", self.kinds[name].times)
        fault = Fault(
            name,
            times=None if times is None else int(times),
            after=int(extra.pop("after", 0)),
            match=str(extra.pop("match", "")),
            extra=extra,
        )
        self.armed.append(fault)
        return fault

    def clear(self) -> None:
        """Disarms everything."""
        self.armed.clear()

    def find(self, name: str, where: str = "") -> Fault | None:
        """The armed fault of that name for a call ``METHOD /path``, without using it up."""
        for fault in self.armed:
            if fault.name == name and fault.match in where and fault.times != 0 and fault.after == 0:
                return fault
        return None

    def strike(self, name: str, where: str = "") -> Fault | None:
        """The armed fault of that name if it strikes this call ``METHOD /path``; uses up one of its times."""
        for fault in list(self.armed):
            if fault.name != name or fault.match not in where:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.armed.remove(fault)
            return fault
        return None

    def strike_all(self, name: str, where: str = "") -> list[Fault]:
        """Every armed fault of that name that strikes this call; uses up one of the times of each."""
        armed = [fault for fault in self.armed if fault.name == name]
        struck = []
        for fault in armed:
            others = [other for other in self.armed if other is not fault]
            self.armed = [fault]
            struck += [found] if (found := self.strike(name, where)) else []
            self.armed = [*others, *self.armed]
        return struck

    def listing(self) -> dict[str, Any]:
        """What ``GET /__faults`` answers: every name with its sentence, and what is armed."""
        return {
            "faults": {name: kind.sentence for name, kind in self.kinds.items()},
            "armed": [
                {"name": one.name, "times": one.times, "after": one.after, "match": one.match, **one.extra}
                for one in self.armed
            ],
        }
