"""Our properties in HubSpot: made where they are missing, left alone where they are right, archived on request.

Raw JSON throughout: the models of hubspot-api-client 12.0.0 cannot carry ``numberDisplayHint``.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Protocol

from connectors.base import FieldSpec, Provisioned, WriteTarget
from connectors.errors import ForbiddenError, RejectedError
from connectors.hubspot.api import HubSpotApi, Json, chunks

GROUP = "scoreback"
LABEL = "Scoreback"
SCHEMAS = "/crm-object-schemas/v3/schemas"
CREATE_LIMIT = 100

_TYPES = {
    "number": ("number", "number"),
    "text": ("string", "text"),
    "long_text": ("string", "textarea"),
    "datetime": ("datetime", "date"),
    "date": ("date", "date"),
}


class Account(Protocol):
    """What provisioning needs of the connector."""

    api: HubSpotApi

    def definitions(self, remote: str, *, fresh: bool = False) -> dict[str, Json]: ...


def definition(spec: FieldSpec, *, unique: bool = False) -> Json:
    """One property as HubSpot creates it."""
    kind, field_type = _TYPES[spec.type]
    body: Json = {
        "groupName": GROUP, "name": spec.name, "label": spec.label, "type": kind, "fieldType": field_type,
        "description": spec.help, "formField": False,
    }  # fmt: skip
    if kind == "number":
        body["numberDisplayHint"] = "formatted"
    return {**body, "hasUniqueValue": True} if unique else body


def _place(target: WriteTarget) -> tuple[str, str]:
    return target.into or ("users" if target.record == "person" else "deals"), target.key or ""


class Provisioning:
    """Creates and removes our properties, one object at a time."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._api = account.api

    def schema(self, name: str) -> Json | None:
        """The custom object of this name, full name or type id; None if the account has none."""
        for found in self._api.get(SCHEMAS).get("results", []):
            if name in (found.get("name"), found.get("fullyQualifiedName"), found.get("objectTypeId")):
                return dict(found)
        return None

    def create(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """What became of each of ``wanted``, and of the object and group that hold them."""
        for (place, key), group in groupby(sorted(wanted, key=_by_place), key=lambda spec: _place(spec.target)):
            specs = list(group)
            yield from self._allowed(place, specs, partial(self._create, place, key, specs, dry_run=dry_run))

    def _create(self, place: str, key: str, specs: Sequence[FieldSpec], *, dry_run: bool) -> list[Provisioned]:
        done: list[Provisioned] = []
        remote = place
        if specs[0].target.into:
            found = self.schema(place)
            if found is None and dry_run:
                names = [place, *(spec.name for spec in specs)]
                return [Provisioned(name, "missing", "would be created") for name in names]
            done.append(Provisioned(place, "created" if found is None else "exists"))
            remote = str((found or self._create_schema(place, key))["objectTypeId"])
        there = self._account.definitions(remote, fresh=True)
        verdicts = {spec.name: _compare(spec, there[spec.name]) for spec in specs if spec.name in there}
        missing = [spec for spec in specs if spec.name not in there]
        if missing and not dry_run:
            verdicts |= self._create_properties(remote, missing)
            self._account.definitions(remote, fresh=True)
        return [*done, *(verdicts.get(spec.name) or Provisioned(spec.name, "missing", f"on {place}") for spec in specs)]

    def _create_schema(self, name: str, key: str) -> Json:
        return self._api.create(
            SCHEMAS,
            {
                "name": name,
                "labels": {"singular": f"{LABEL} appraisal", "plural": f"{LABEL} appraisals"},
                "primaryDisplayProperty": key,
                "requiredProperties": [key],
                "properties": [
                    {
                        "name": key,
                        "label": f"{LABEL} key",
                        "type": "string",
                        "fieldType": "text",
                        "hasUniqueValue": True,
                    }
                ],
                "associatedObjects": [],
            },
        )

    def _create_properties(self, remote: str, specs: Sequence[FieldSpec]) -> dict[str, Provisioned]:
        buried = self._api.properties(remote, archived=True)
        verdicts = {spec.name: _buried(spec.name) for spec in specs if spec.name in buried}
        fresh = [spec for spec in specs if spec.name not in buried]
        if fresh:
            self._create_group(remote)
        for part in chunks(fresh, CREATE_LIMIT):
            inputs = [definition(spec) for spec in part]
            body = self._api.create(f"/crm/v3/properties/{remote}/batch/create", {"inputs": inputs})
            created = {str(row["name"]) for row in body.get("results", [])}
            why = "; ".join(str(error.get("message")) for error in body.get("errors", []))
            for spec in part:
                made = spec.name in created
                verdicts[spec.name] = Provisioned(spec.name, "created" if made else "failed", "" if made else why)
        return verdicts

    def _create_group(self, remote: str) -> None:
        groups = self._api.get(f"/crm/v3/properties/{remote}/groups").get("results", [])
        if not any(group["name"] == GROUP for group in groups):
            body = {"name": GROUP, "label": LABEL, "displayOrder": -1}
            self._api.create(f"/crm/v3/properties/{remote}/groups", body)

    def remove(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Archives each of ``wanted`` that exists. An object of our own keeps its rows: an admin deletes it."""
        for (place, _), group in groupby(sorted(wanted, key=_by_place), key=lambda spec: _place(spec.target)):
            specs = list(group)
            yield from self._allowed(place, specs, partial(self._remove, place, specs, dry_run=dry_run))

    def _remove(self, place: str, specs: Sequence[FieldSpec], *, dry_run: bool) -> list[Provisioned]:
        remote = place
        if specs[0].target.into:
            found = self.schema(place)
            if found is None:
                return [Provisioned(place, "missing", "there is no such object")]
            remote = str(found["objectTypeId"])
        there = self._account.definitions(remote, fresh=True)
        names = [spec.name for spec in specs if spec.name in there]
        if names and not dry_run:
            inputs = [{"name": name} for name in names]
            self._api.post(f"/crm/v3/properties/{remote}/batch/archive", {"inputs": inputs})
            self._account.definitions(remote, fresh=True)
        gone = [_gone(spec.name, there=spec.name in there, dry_run=dry_run) for spec in specs]
        if not specs[0].target.into:
            return gone
        return [*gone, Provisioned(place, "by_hand", "delete the object under Settings > Objects > Custom Objects")]

    @staticmethod
    def _allowed(place: str, specs: Sequence[FieldSpec], work: Callable[[], list[Provisioned]]) -> list[Provisioned]:
        """The outcome of ``work``; the admin's own steps where HubSpot does not let us."""
        try:
            return work()
        except (ForbiddenError, RejectedError) as error:
            return [Provisioned(spec.name, "by_hand", _steps(place, spec, error)) for spec in specs]


def _by_place(spec: FieldSpec) -> tuple[str, str]:
    return _place(spec.target)


def _gone(name: str, *, there: bool, dry_run: bool) -> Provisioned:
    if not there:
        return Provisioned(name, "missing")
    return Provisioned(name, "exists", "would be archived") if dry_run else Provisioned(name, "removed", "archived")


def _buried(name: str) -> Provisioned:
    return Provisioned(
        name,
        "by_hand",
        "an archived property has this name: restore it under Settings > Properties > Archived properties",
    )


def _compare(spec: FieldSpec, found: Json) -> Provisioned:
    kind, _ = _TYPES[spec.type]
    if found.get("type") != kind:
        text = f"is of type {found.get('type')}, ours is {kind}: rename or delete it, then run provision again"
        return Provisioned(spec.name, "failed", text)
    if (found.get("modificationMetadata") or {}).get("readOnlyValue"):
        return Provisioned(spec.name, "failed", "cannot be written by an API: delete it, then run provision again")
    return Provisioned(spec.name, "exists")


def _steps(place: str, spec: FieldSpec, error: Exception) -> str:
    kind, field_type = _TYPES[spec.type]
    what = f"{error}."
    if spec.target.into:
        what += (
            f" A custom object needs an Enterprise account and the scopes crm.schemas.custom.write and"
            f" crm.objects.custom.write. Create the object {place} with the unique text property {spec.target.key}, or"
            f" drop `into` from write_back.person."
        )
    made = f"Create the property {spec.name} ({kind}, shown as {field_type}) on {place} under Settings > Properties."
    return f"{what} {made}"
