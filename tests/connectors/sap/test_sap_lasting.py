"""What the store keeps of a task that SAP Version 2 dates by its last change only."""

from collections.abc import Callable
from typing import Any

from connectors.records import Record
from sync.pull import Puller
from sync.store.engine import Store
from sync.store.versions import current_records

Make = Callable[..., Any]


def test_a_task_that_is_edited_after_it_was_done_stays_done_when_it_was(make: Make, sqlite_store: Store) -> None:
    tenant = make("sap_v2")
    task = tenant.id("activities", "a3")

    def done_at() -> Any:
        Puller(tenant.connect(), sqlite_store, run=1).pull()
        with sqlite_store.reading() as tx:
            found: Record = current_records(tx, "crm", "activity", [task])[task]
        return getattr(found, "completed_at", None)

    first = done_at()
    tenant.emulator.edit("activities", "a3", {"description": "another text"})
    second = done_at()
    tenant.emulator.edit("activities", "a3", {"status": "OPEN"})
    third = done_at()

    assert first is not None
    assert (second, third) == (first, None)
