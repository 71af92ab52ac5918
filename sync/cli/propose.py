"""``scoreback init --from-crm``: what a live CRM holds, as YAML to paste into its connection file."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.base import Connector, Raw, Stream, Window
from connectors.errors import ForbiddenError, RejectedError
from connectors.mapping import Mapper, paths_of, sources
from connectors.records import RECORDS, Stage

_KEY = bytes(16)
"""Hashes made here are shown to nobody."""


_OURS_ALONE = frozenset(("remote_id", "modified_at", "deleted", "extra", "outcome", "merged_into"))
"""Fields that no admin maps: identity, and what the connector makes itself."""


def proposal(connector: Connector) -> str:
    """YAML of one connection: proposed fields, then as comments what is mapped already, and the stages.

    A field is proposed where the CRM has one whose name or label is that of a field of ours that nothing fills yet.
    """
    lines = [
        f"# {connector.connection.name}: proposed from what its {connector.kind} holds. Keep what is right.",
        "fields:",
    ]
    found: dict[str, list[str]] = {}
    notes: list[str] = []
    stages: list[str] = []
    for stream in connector.streams:
        if connector.connection.stream(stream.name) is None:
            continue
        try:
            rows = _first_rows(connector, stream)
            proposed = _proposed(connector, stream)
        except (ForbiddenError, RejectedError) as error:
            notes.append(f"# {stream.name}: not readable: {_one_line(error)}")
            continue
        if stream.kind == "stage":
            stages = _stage_lines(connector, rows)
            continue
        if proposed:
            found[stream.name] = proposed
        notes += _field_lines(connector, stream, rows)
    lines += [line for name, proposed in found.items() for line in (f"  {name}:", *proposed)] or ["  {}"]
    return "\n".join([*lines, *notes, *stages]) + "\n"


def _proposed(connector: Connector, stream: Stream) -> list[str]:
    if stream.kind not in ("person", "account", "opportunity"):
        return []
    mapped = sources(stream, connector.connection)
    taken = {path for source in mapped.values() for path in paths_of(source)}
    offered = {name: label for name, label in connector.remote_names(stream).items() if name not in taken}
    lines = []
    for ours in RECORDS[stream.kind].model_fields:
        if ours in mapped or ours in _OURS_ALONE:
            continue
        theirs = next((name for name, label in offered.items() if _bare(ours) in (_bare(name), _bare(label))), None)
        if theirs is not None:
            lines.append(f"    {ours}: {_word(theirs)}")
    return lines


def _bare(name: str) -> str:
    """A name without what CRMs add to it: ``External_Id__c`` and ``External ID`` are one."""
    return "".join(character for character in name.lower().removesuffix("__c") if character.isalnum())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _first_rows(connector: Connector, stream: Stream) -> Sequence[Raw]:
    on = frozenset(one.name for one in connector.streams if connector.connection.stream(one.name) is not None)
    ahead = connector.now() + timedelta(days=1)  # what was changed in this very second is to be seen too
    pages = connector.pull(stream, Window(None, ahead, streams=on), None)
    page = next(iter(pages), None)
    return [row for row in page.rows if row.stream.name == stream.name] if page else []


def _field_lines(connector: Connector, stream: Stream, rows: Sequence[Raw]) -> list[str]:
    """What is mapped already, and in how many of the rows looked at there is something."""
    if not rows:
        return [f"# {stream.name}: no rows"]
    parts = []
    for ours, source in sources(stream, connector.connection).items():
        paths = list(paths_of(source))
        if paths and not paths[0].startswith("@") and ours not in _OURS_ALONE:
            filled = sum(any(_held(row.fields, path) not in (None, "") for path in paths) for row in rows)
            parts.append(f"#   {ours}: {_word(paths[0])}  # filled in {filled} of {len(rows)}")
    return [f"# {stream.name}, as it is mapped:", *parts]


def _held(fields: Mapping[str, Any], path: str) -> Any:
    value: Any = fields.get(path)
    if value is None and "." in path:
        value = fields
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _stage_lines(connector: Connector, rows: Sequence[Raw]) -> list[str]:
    """The stages with what the CRM says they mean. One whose outcome it does not tell is left for a person to fill in."""
    by_pipeline: dict[str, list[Stage]] = {}
    for row in rows:
        stage = Mapper(row.stream, connector.connection, key=_KEY)(row.fields)
        if isinstance(stage, Stage) and not stage.deleted:
            by_pipeline.setdefault(stage.pipeline or "default", []).append(stage)
    lines = ["# The CRM's own stages are used as they are; write them down only to change what they mean.", "# stages:"]
    for pipeline, stages in by_pipeline.items():
        lines.append(f"#   {_word(pipeline)}:")
        for stage in sorted(stages, key=lambda one: one.position or 0):
            parts = [f"stage: {_word(stage.stage)}", f"outcome: {stage.outcome or 'CHOOSE'}"]
            parts += [] if stage.probability is None else [f"probability: {stage.probability}"]
            parts += [f"label: {_word(stage.label)}"] if stage.label and stage.label != stage.stage else []
            lines.append(f"#     - {{{', '.join(parts)}}}")
    return lines if by_pipeline else []


def _word(text: str) -> str:
    """Text as YAML reads it back, in quotes where it might mean something else."""
    plain = text and text.replace(" ", "").replace("_", "").isalnum() and not text[0].isdigit() and text == text.strip()
    return (
        text
        if plain and text.lower() not in ("on", "off", "true", "false", "null")
        else json.dumps(text, ensure_ascii=False)
    )
