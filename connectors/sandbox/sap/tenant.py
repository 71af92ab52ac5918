"""What the tenants of both products share: switches of faults, late commits, and the administrator's extension fields."""

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from connectors.sandbox.emulator import Emulator
from connectors.sandbox.faults import Fault
from connectors.sandbox.routing import BadJson, Reply, Request

_T = TypeVar("_T")
HTML = {"Content-Type": "text/html;charset=utf-8"}


class Late(Protocol):
    """A store whose next stamps can be older than now."""

    late_by: timedelta


class Tenant(Emulator):
    """A tenant of either product."""

    store: Late
    gone: set[tuple[str, str]]
    """Object ("" is any) and field that vanished for this call."""
    bent: set[tuple[str, str]]
    """Object and field that come in another type for this call."""

    @property
    def permitted(self) -> float | None:
        """Calls per second before 429; None: as many as one likes, since SAP publishes no limit."""
        return self.rate

    @abstractmethod
    def fields(self, request: Request) -> Reply:
        """``POST /__fields`` adds an extension field, ``DELETE`` takes one away, ``GET`` lists them."""

    def bend(self, request: Request) -> None:
        """What schema faults hide or mistype during this call."""
        self.gone = {_bent(fault) for fault in self.faults.strike_all("missing_field", request.where)}
        self.bent = {_bent(fault) for fault in self.faults.strike_all("wrong_type", request.where)}

    def saving(self, save: Callable[[], _T]) -> _T:
        """Runs one save, as a transaction that commits late if that fault is armed."""
        late = self.faults.strike("late_commit")
        self.store.late_by = timedelta(seconds=late.seconds if late else 0)
        try:
            return save()
        finally:
            self.store.late_by = timedelta()

    def _answer_control(self, request: Request) -> Reply:
        if request.path != "/__fields":
            return super()._answer_control(request)
        with self.lock:
            try:
                return self.fields(request)
            except (BadJson, KeyError, TypeError, ValueError) as error:
                return Reply(400, {"message": f"{type(error).__name__}: {error}"})


def _bent(fault: Fault) -> tuple[str, str]:
    return str(fault.extra.get("object", "")), str(fault.extra.get("field", ""))
