"""A world's stages as deal pipelines of a portal."""

import re

from connectors.sandbox.hubspot.ids import Ids
from connectors.sandbox.hubspot.mapping import Row
from connectors.sandbox.hubspot.portal import Pipeline, Portal, Stage

Rows = list[dict[str, str]]


def load_stages(portal: Portal, ids: Ids, rows: Rows) -> None:
    """Makes the world's pipelines the portal's. Nothing happens without stages: the default pipeline stays."""
    if not rows:
        return
    pipelines: dict[str, Pipeline] = {}
    portal.pipelines["deals"] = pipelines
    for row in rows:
        name = row.get("pipeline") or "default"
        held = ids.held.setdefault("pipelines", {})
        if name not in held:
            held[name] = "default" if not pipelines else _word_or_number(name, ids)
            pipelines[held[name]] = Pipeline(held[name], name, len(pipelines))
        pipeline = pipelines[held[name]]
        stage = _stage(portal, ids, row, words=pipeline.id == "default")
        pipeline.stages[stage.id] = stage
        stages = ids.held.setdefault("stages", {})
        stages[f"{row.get('pipeline', '')}/{row['stage']}"] = stage.id
        stages.setdefault(row["stage"], stage.id)
        if row.get("id"):
            stages.setdefault(row["id"], stage.id)


def _stage(portal: Portal, ids: Ids, row: Row, *, words: bool) -> Stage:
    """Words for the first pipeline's stages, numbers for the others', as portals have them."""
    text = row["stage"]
    key = f"{row.get('pipeline', '')}/{text}"
    word = re.sub(r"[^a-z0-9]", "", text.lower())
    taken = {stage for one in portal.pipelines["deals"].values() for stage in one.stages}
    use_word = words and word and word not in taken
    stage_id = word if use_word else str(ids.of("stage_numbers", text if text.isdecimal() else key))
    outcome = row.get("outcome") or "open"
    chance = {"won": "1.0", "lost": "0.0", "omitted": "0.0"}.get(outcome) or row.get("probability") or "0.5"
    metadata = {"probability": chance, "isClosed": "false" if outcome == "open" else "true"}
    return Stage(stage_id, row.get("label") or text, int(row.get("position") or 0), metadata)


def _word_or_number(name: str, ids: Ids) -> str:
    """A further pipeline's id: a plain word stays, anything else becomes a number."""
    plain = re.fullmatch(r"[a-z0-9_]+", name) and name != "default"
    return name if plain else str(ids.of("pipeline_numbers", name))


def stages_of(rows: Rows) -> Rows:
    """Stages as the deals of a world without a stages file use them."""
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        if row.get("stage"):
            key = (row.get("pipeline", ""), row["stage"])
            seen.setdefault(key, {"pipeline": key[0], "stage": key[1], "outcome": row.get("outcome", ""), "id": ""})
    return [{**row, "position": str(at)} for at, (_, row) in enumerate(sorted(seen.items()))]
