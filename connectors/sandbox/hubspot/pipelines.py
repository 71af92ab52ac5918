"""``/crm/.../pipelines/{type}``: pipelines, stages, and the audit of who changed them."""

from typing import Any

from connectors.sandbox.hubspot.errors import Refusal, invalid, not_found
from connectors.sandbox.hubspot.portal import Pipeline, Portal, Stage
from connectors.sandbox.hubspot.rows import flag
from connectors.sandbox.hubspot.shapes import read_body
from connectors.sandbox.hubspot.values import iso_short, parse_number
from connectors.sandbox.routing import Reply, Request

Row = dict[str, Any]
_STAGE_PROPERTY = {"deals": ("pipeline", "dealstage"), "tickets": ("hs_pipeline", "hs_pipeline_stage")}


class Pipelines:
    """Handlers of pipelines."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def list_all(self, request: Request, kind: str) -> Reply:
        """Every pipeline with its stages, in one answer."""
        return Reply(body={"results": [pipeline_model(one) for one in self._of(kind).values()]})

    def read(self, request: Request, kind: str, pipeline: str) -> Reply:
        """One pipeline."""
        return Reply(body=pipeline_model(self._one(kind, pipeline)))

    def audit(self, request: Request, kind: str, pipeline: str, stage: str | None = None) -> Reply:
        """Who changed what, newest first; of one stage if named."""
        found = self._one(kind, pipeline)
        if stage is not None:
            self._stage(found, stage)
        shown = [one for one in found.audit if stage is None or one["identifier"] == stage]
        return Reply(body={"results": shown[::-1]})

    def create(self, request: Request, kind: str) -> Reply:
        """A new pipeline, 201."""
        body = read_body(request, "PipelineInput")
        pipelines = self._of(kind)
        if any(one.label == body["label"] for one in pipelines.values()):
            raise Refusal(409, f'A pipeline named "{body["label"]}" already exists', "CONFLICT")
        if not body["stages"]:
            raise invalid("A pipeline needs at least one stage")
        made = Pipeline(str(self.portal.new_id()), body["label"], body["displayOrder"])
        self._fill(kind, made, body)
        pipelines[made.id] = made
        self._note(made, "CREATE", made.id, pipeline_model(made))
        return Reply(201, pipeline_model(made))

    def replace(self, request: Request, kind: str, pipeline: str) -> Reply:
        """PUT: label, order and stages anew."""
        body = read_body(request, "PipelineInput")
        found = self._one(kind, pipeline)
        if any(self._in_use(kind, found.id, stage) for stage in found.stages):
            raise invalid("Stages that are in use cannot be removed from a pipeline")
        found.label, found.order, found.stages = body["label"], body["displayOrder"], {}
        self._fill(kind, found, body)
        self._note(found, "UPDATE", found.id, pipeline_model(found))
        return Reply(body=pipeline_model(found))

    def update(self, request: Request, kind: str, pipeline: str) -> Reply:
        """PATCH: label, order."""
        body = read_body(request, "PipelinePatchInput")
        found = self._one(kind, pipeline)
        found.label = body.get("label") or found.label
        found.order = found.order if body.get("displayOrder") is None else body["displayOrder"]
        found.updated_ms = self.portal.now_ms()
        self._note(found, "UPDATE", found.id, pipeline_model(found))
        return Reply(body=pipeline_model(found))

    def archive(self, request: Request, kind: str, pipeline: str) -> Reply:
        """Takes a pipeline away; asked to validate, it refuses while rows are in it."""
        found = self._one(kind, pipeline)
        careful = flag(request, "validateReferencesBeforeDelete") or flag(
            request, "validateDealStageUsagesBeforeDelete"
        )
        if careful and any(self._in_use(kind, found.id, stage) for stage in found.stages):
            raise invalid("The pipeline is in use")
        del self._of(kind)[found.id]
        return Reply(204)

    def stages(self, request: Request, kind: str, pipeline: str) -> Reply:
        """The stages of a pipeline."""
        return Reply(body={"results": [stage_model(one) for one in self._one(kind, pipeline).stages.values()]})

    def stage(self, request: Request, kind: str, pipeline: str, stage: str) -> Reply:
        """One stage."""
        return Reply(body=stage_model(self._stage(self._one(kind, pipeline), stage)))

    def create_stage(self, request: Request, kind: str, pipeline: str) -> Reply:
        """A new stage, 201."""
        body = read_body(request, "PipelineStageInput")
        found = self._one(kind, pipeline)
        made = self._make_stage(kind, body)
        found.stages[made.id] = made
        self._note(found, "CREATE", made.id, stage_model(made))
        return Reply(201, stage_model(made))

    def update_stage(self, request: Request, kind: str, pipeline: str, stage: str) -> Reply:
        """PATCH or PUT of a stage."""
        model = "PipelineStageInput" if request.method == "PUT" else "PipelineStagePatchInput"
        body = read_body(request, model)
        found = self._one(kind, pipeline)
        one = self._stage(found, stage)
        if body.get("metadata") is not None:
            one.metadata = _metadata(kind_of(self.portal, kind), {**one.metadata, **body["metadata"]})
        one.label = body.get("label") or one.label
        one.order = one.order if body.get("displayOrder") is None else body["displayOrder"]
        one.updated_ms = self.portal.now_ms()
        self._note(found, "UPDATE", one.id, stage_model(one))
        self._restamp(kind, found.id)
        return Reply(body=stage_model(one))

    def archive_stage(self, request: Request, kind: str, pipeline: str, stage: str) -> Reply:
        """Takes a stage away that no row is in."""
        found = self._one(kind, pipeline)
        one = self._stage(found, stage)
        if self._in_use(kind, found.id, one.id):
            raise invalid(f"Stage {one.id} is in use")
        del found.stages[one.id]
        self._note(found, "DELETE", one.id, stage_model(one))
        return Reply(204)

    def _of(self, kind: str) -> dict[str, Pipeline]:
        return self.portal.pipelines.setdefault(kind_of(self.portal, kind), {})

    def _one(self, kind: str, pipeline: str) -> Pipeline:
        found = self._of(kind).get(pipeline)
        if found is None:
            raise not_found(f"Pipeline {pipeline} does not exist")
        return found

    def _stage(self, pipeline: Pipeline, stage: str) -> Stage:
        if stage not in pipeline.stages:
            raise not_found(f"Stage {stage} does not exist in pipeline {pipeline.id}")
        return pipeline.stages[stage]

    def _fill(self, kind: str, pipeline: Pipeline, body: Row) -> None:
        for one in body["stages"]:
            made = self._make_stage(kind, one)
            pipeline.stages[made.id] = made
        pipeline.created_ms = pipeline.created_ms or self.portal.now_ms()
        pipeline.updated_ms = self.portal.now_ms()

    def _make_stage(self, kind: str, body: Row) -> Stage:
        metadata = _metadata(kind_of(self.portal, kind), body.get("metadata") or {})
        now = self.portal.now_ms()
        return Stage(str(self.portal.new_id()), body["label"], body["displayOrder"], metadata, now, now)

    def _in_use(self, kind: str, pipeline: str, stage: str) -> bool:
        names = _STAGE_PROPERTY.get(kind_of(self.portal, kind))
        if names is None:
            return False
        rows = self.portal.store.table(kind).live.values()
        return any(row.props.get(names[0]) == pipeline and row.props.get(names[1]) == stage for row in rows)

    def _restamp(self, kind: str, pipeline: str) -> None:
        """Editing a stage stamps every row of its pipeline, as HubSpot does."""
        table = self.portal.store.table(kind)
        name = _STAGE_PROPERTY.get(table.kind.plural, ("", ""))[0]
        now = self.portal.now_ms()
        for row in [row for row in table.live.values() if row.props.get(name) == pipeline]:
            table.touch(row, now)

    def _note(self, pipeline: Pipeline, action: str, identifier: str, shown: Row) -> None:
        pipeline.audit.append(
            {
                "identifier": identifier,
                "action": action,
                "portalId": self.portal.portal_id,
                "timestamp": iso_short(self.portal.now_ms()),
                "rawObject": shown,
            }
        )


def kind_of(portal: Portal, spelling: str) -> str:
    """The plural name of a type however it is spelled."""
    return portal.store.table(spelling).kind.plural


def _metadata(plural: str, given: dict[str, str | None]) -> dict[str, str]:
    """Checked stage metadata; for deals ``isClosed`` follows from the probability unless it is said."""
    metadata = {key: value for key, value in given.items() if value is not None}
    if plural == "deals":
        chance = parse_number(metadata.get("probability"))
        if chance is None or not 0 <= chance <= 1:
            raise invalid("Stage metadata must have a probability between 0.0 and 1.0")
        metadata.setdefault("isClosed", "true" if chance in (0, 1) else "false")
    if plural == "tickets" and metadata.get("ticketState", "OPEN") not in ("OPEN", "CLOSED"):
        raise invalid("ticketState must be OPEN or CLOSED")
    return metadata


def stage_model(stage: Stage) -> Row:
    """A stage as the API shows it."""
    return {
        "id": stage.id,
        "label": stage.label,
        "displayOrder": stage.order,
        "metadata": dict(stage.metadata),
        "archived": stage.archived,
        "createdAt": iso_short(stage.created_ms),
        "updatedAt": iso_short(stage.updated_ms),
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def pipeline_model(pipeline: Pipeline) -> Row:
    """A pipeline as the API shows it."""
    return {
        "id": pipeline.id,
        "label": pipeline.label,
        "displayOrder": pipeline.order,
        "archived": pipeline.archived,
        "createdAt": iso_short(pipeline.created_ms),
        "updatedAt": iso_short(pipeline.updated_ms),
        "stages": [stage_model(one) for one in sorted(pipeline.stages.values(), key=lambda one: one.order)],
    }
