"""The connection file's stage map as records, so that it is versioned like the CRM's own."""

from collections.abc import Iterator

from connectors.records import Record, Stage
from connectors.settings import ConnectionSettings


def configured_stages(connection: ConnectionSettings) -> Iterator[Record]:
    """One record per stage that the connection file names; none if it leaves stages to the CRM's metadata."""
    for pipeline, entries in connection.stages.items():
        for position, entry in enumerate(entries):
            yield Stage(
                remote_id=f"{pipeline}/{entry.stage}",
                pipeline=None if pipeline.casefold() == "default" else pipeline,
                stage=entry.stage,
                label=entry.label or entry.stage,
                position=position,
                outcome=entry.outcome,
                probability=entry.probability,
                qualified=entry.qualified,
            )
