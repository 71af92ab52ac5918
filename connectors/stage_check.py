"""Which stages of a CRM the connection file leaves out: deals in them have no outcome, and are in nobody's figures."""

from collections.abc import Iterable, Iterator

from connectors.base import Finding
from connectors.settings import ConnectionSettings


def unmapped_stages(connection: ConnectionSettings, there: Iterable[tuple[str | None, str]]) -> Iterator[Finding]:
    """A finding on the stages, as pairs of pipeline (None: the CRM has none) and stage, that ``stages`` does not name.

    Nothing is said where the file names no stages at all: then the CRM's metadata counts.
    """
    if not connection.stages:
        return
    named = {(pipeline, entry.stage) for pipeline, entries in connection.stages.items() for entry in entries}
    anywhere = {stage for pipeline, stage in named if pipeline.casefold() == "default"}
    missing = [
        stage if pipeline is None else f"{stage} (of {pipeline})"
        for pipeline, stage in there
        if stage not in anywhere and (pipeline, stage) not in named
    ]
    if missing:
        yield Finding(
            "warning",
            "stages",
            f"not mapped: {', '.join(missing)}. Their deals are kept without an outcome",
            f"Add them to `stages` of connections/{connection.name}.yaml.",
        )
    else:
        yield Finding("ok", "stages", "every stage of the CRM is mapped")
