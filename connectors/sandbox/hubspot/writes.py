"""Writing rows: every value checked as HubSpot checks it, versions kept, stamps moved."""

from collections.abc import Mapping, Sequence

from connectors.sandbox.hubspot.errors import Problem, Refusal, invalid, invalid_properties
from connectors.sandbox.hubspot.links import End
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.store import Source, Table, Thing
from connectors.sandbox.hubspot.values import Property, Unfit, normalise

Values = dict[str, str | None]

_STAGED = {"deals": ("pipeline", "dealstage"), "tickets": ("hs_pipeline", "hs_pipeline_stage")}
_OPEN_OPTIONS = frozenset(("deal_currency_code", "hs_activity_type"))
"""Enumerations whose options this portal does not list: currencies come from its settings, types from its admins."""


class Writer:
    """Creates, changes, archives and merges rows of a portal."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def prepare(self, table: Table, properties: Mapping[str, str | None], thing: Thing | None) -> Values:
        """The values as they will be kept. Raises Refusal (400) with every problem of the row."""
        problems: list[Problem] = []
        values: Values = {}
        for name, value in properties.items():
            prop = table.properties.get(name)
            problem = _unwritable(prop, name)
            if problem:
                problems.append(problem)
                continue
            assert prop is not None  # noqa: S101 - _unwritable named its absence
            try:
                values[name] = self._normalise(prop, value, thing)
            except Unfit as unfit:
                problems.append(unfit.problem)
        problems += self._stage_problems(table, values, thing)
        if problems:
            raise invalid_properties(problems)
        return values

    def _normalise(self, prop: Property, value: str | None, thing: Thing | None) -> str | None:
        if prop.name in _OPEN_OPTIONS or prop.name in ("pipeline", "dealstage", "hs_pipeline", "hs_pipeline_stage"):
            return value or None
        kept = normalise(prop, value, thing.props.get(prop.name) if thing else None)
        if kept and prop.owner_picker:
            for owner in filter(None, kept.split(";")):
                if not owner.isdecimal() or int(owner) not in self.portal.owners:
                    raise Unfit(Problem(prop.name, "INVALID_OWNER_ID", f"Owner {owner} does not exist"))
        return kept

    def _stage_problems(self, table: Table, values: Values, thing: Thing | None) -> list[Problem]:
        if table.kind.plural not in _STAGED:
            return []
        pipeline_name, stage_name = _STAGED[table.kind.plural]
        if pipeline_name not in values and stage_name not in values:
            return []
        pipelines = self.portal.pipelines[table.kind.plural]
        held = thing.props if thing else {}
        pipeline = values.get(pipeline_name) or held.get(pipeline_name) or next(iter(pipelines), "")
        if pipeline not in pipelines:
            message = f"{pipeline} was not one of the allowed options: [{', '.join(pipelines)}]"
            return [Problem(pipeline_name, "INVALID_OPTION", message)]
        stages = pipelines[pipeline].stages
        stage = values[stage_name] if stage_name in values else held.get(stage_name)
        if stage is not None and stage not in stages:
            message = f"{stage} was not one of the allowed options: [{', '.join(stages)}]"
            return [Problem(stage_name, "INVALID_OPTION", message)]
        values.setdefault(pipeline_name, pipeline)
        return []

    def require(self, table: Table, values: Values) -> None:
        """Raises Refusal (400) if a new row lacks a required property."""
        missing = [name for name in table.kind.required if not values.get(name)]
        if table.kind.plural == "companies" and not (values.get("name") or values.get("domain")):
            missing = ["name", "domain"]
        if missing:
            raise invalid(
                f"Error creating {table.kind.singular.upper()}. Some required properties were not set.",
                context={"properties": missing},
            )

    def free(self, table: Table, values: Values, thing: Thing | None) -> None:
        """Raises Refusal for a value of a unique property that another row holds: 409 on creation, else 400."""
        for name, index in table.unique.items():
            holder = index.get((values.get(name) or "").lower())
            if holder is None or (thing is not None and holder == thing.id):
                continue
            kind = table.kind.singular.capitalize()
            if thing is None:
                raise Refusal(409, f"{kind} already exists. Existing ID: {holder}", "CONFLICT")
            message = f"{values[name]} is already the value of {name} of another {kind}: {holder}"
            raise invalid_properties([Problem(name, "CONFLICTING_UNIQUE_VALUE", message)])

    def obey(self, table: Table, values: Values, thing: Thing | None) -> None:
        """Raises Refusal (400) where an admin's conditional rule wants a value that the row would not have."""
        held: dict[str, str | None] = {**(thing.props if thing else {}), **values}
        for rule in self.portal.rules:
            if rule.plural == table.kind.plural and all(held.get(name) == value for name, value in rule.when.items()):
                problems = [
                    Problem(name, "REQUIRED_PROPERTY_MISSING", f'Property "{name}" is required by this account')
                    for name in rule.needs
                    if not held.get(name)
                ]
                if problems:
                    raise invalid_properties(problems)

    def create(self, table: Table, values: Values, at_ms: int, source: Source, row_id: int | None = None) -> Thing:
        """A new row."""
        props = {name: value for name, value in values.items() if value is not None}
        thing = Thing(row_id or self.portal.new_id(), props, at_ms, at_ms, source)
        table.add(thing)
        self.portal.lag(table.kind.plural, thing, None)
        return thing

    def change(self, table: Table, thing: Thing, values: Values, at_ms: int, source: Source) -> None:
        """Sets values and moves the stamp, also when nothing is new: HubSpot does so too."""
        if self.portal.index_lag_seconds:
            self.portal.lag(table.kind.plural, thing, thing.copy())
        if "dealstage" in values and values["dealstage"] != thing.props.get("dealstage"):
            values.setdefault("hs_deal_stage_probability", None)  # an override lasts until the stage changes
        for name, value in values.items():
            table.put(thing, name, value, at_ms, source)
        table.touch(thing, at_ms)

    def archive(self, table: Table, thing: Thing, at_ms: int) -> None:
        """Into the recycle bin: only ``archived=true`` finds it."""
        thing.updated = at_ms
        table.drop(thing, at_ms)

    def purge(self, table: Table, thing: Thing) -> None:
        """Gone for good, as after a GDPR delete."""
        table.drop(thing, None)
        self._unlink(table, thing)

    def merge(self, table: Table, winner: Thing, loser: Thing, at_ms: int, source: Source) -> None:
        """The loser's id vanishes and leads to the winner; its associations and missing values move over."""
        near = End(table, winner.id)
        for plural, other_id, labels in self.portal.links.all_of(table, loser.id):
            far = End(self.portal.store.tables[plural], other_id)
            if far != near:
                self.portal.links.join(near, far, labels[0].type_id)
        taken = {name: value for name, value in loser.props.items() if name not in winner.props}
        former = [one for one in (winner.props.get("hs_merged_object_ids") or "").split(";") if one]
        self.purge(table, loser)
        table.merged[loser.id] = winner.id
        merged = ";".join([*former, str(loser.id)])
        self.change(table, winner, {**taken, "hs_merged_object_ids": merged}, at_ms, source)

    def _unlink(self, table: Table, thing: Thing) -> None:
        for plural, other_id, _ in self.portal.links.all_of(table, thing.id):
            self.portal.links.part(End(table, thing.id), End(self.portal.store.tables[plural], other_id))


def _unwritable(prop: Property | None, name: str) -> Problem | None:
    if prop is None or prop.archived:
        return Problem(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
    if prop.read_only:
        return Problem(name, "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.')
    return None


def no_duplicates(ids: Sequence[str]) -> None:
    """Raises Refusal (400) for an id that a batch names twice."""
    twice = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise invalid(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")
