"""Our fields and our module in Zoho: made through the settings API, found again by their API names, and taken away.

Zoho makes a field's API name of its label, so the label is our name with spaces, and what came of it is read afterwards.
Where the org refuses a step, the step is told to the admin instead, and the others go on.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.base import FieldSpec, Provisioned, WriteTarget
from connectors.errors import ForbiddenError, RejectedError, RetryLaterError
from connectors.zoho.api import ZohoApi, refuse_unless
from connectors.zoho.write import module_of

REFUSALS = (ForbiddenError, RejectedError)
MODULE_CREDITS = 500
_TYPES = {
    "number": "Decimal",
    "text": "Single Line",
    "long_text": "Multi-Line",
    "datetime": "Date/Time",
    "date": "Date",
}
"""What Zoho's pages call the types."""


def label_of(spec: FieldSpec) -> str:
    """The label of which Zoho makes our API name."""
    return spec.name.replace("_", " ")


def description(spec: FieldSpec) -> dict[str, Any]:
    """One field as the settings API takes it. The key of an own module is unique, or an upsert finds nothing by it."""
    shape: dict[str, Any] = {"field_label": label_of(spec)}
    match spec.type:
        case "number" if spec.scale == 0:
            shape |= {"data_type": "integer", "length": 9}
        case "number":
            shape |= {"data_type": "double", "length": 16, "decimal_place": spec.scale}
        case "text":
            shape |= {"data_type": "text", "length": min(spec.length, 255)}
        case "long_text":
            shape |= {"data_type": "textarea"}
        case _:
            shape |= {"data_type": spec.type}
    if spec.help:
        shape["tooltip"] = {"name": "info_icon", "value": spec.help[:255]}
    if spec.name == spec.target.key:
        shape["unique"] = {"case_sensitive": False}
    return shape


class Provisioner:
    """One provisioning or its undoing."""

    def __init__(self, api: ZohoApi, *, dry_run: bool) -> None:
        self._api = api
        self._dry_run = dry_run

    def add(self, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
        """What exists, and what was made of the rest."""
        for target, specs in _by_target(wanted).items():
            module = module_of(target)
            there = self._api.fields(module, fresh=True)
            if not there:
                step = self._add_module(target, module)
                yield step
                if step.state not in ("created", "missing"):
                    yield from (_by_hand(spec, module, "the module is not there") for spec in specs)
                    continue
            for spec in specs:
                yield self._state(spec, module) if spec.name in there else self._add_field(spec, module)

    def remove(self, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
        """Deletes our fields with what they hold. A module cannot be deleted through the API."""
        for target, specs in _by_target(wanted).items():
            module = module_of(target)
            there = self._api.fields(module, fresh=True)
            for spec in specs:
                yield self._remove_field(spec, module, str(there[spec.name]["id"]) if spec.name in there else None)
            if target.into and there:
                text = f"Setup > Customization > Modules and Fields > {module} > Delete: Zoho's API deletes no module"
                yield Provisioned(module, "by_hand", text)

    def _state(self, spec: FieldSpec, module: str) -> Provisioned:
        name, field = f"{module}.{spec.name}", self._api.fields(module)[spec.name]
        if (field.get("operation_type") or {}).get("api_update") is False and module != "Users":
            text = (
                f"Setup > Security Control > Profiles: grant Read and Write on {spec.name} to the profile of our user"
            )
            return Provisioned(name, "by_hand", text)
        return Provisioned(name, "exists")

    def _add_field(self, spec: FieldSpec, module: str) -> Provisioned:
        name = f"{module}.{spec.name}"
        if self._dry_run:
            return Provisioned(name, "missing", "would be created")
        path = f"/crm/{self._api.version}/settings/fields"
        body = {"fields": [description(spec)]}
        try:
            answer = self._api.call("POST", path, params={"module": module}, json=body, accept=(400,), json_only=True)
            said = refuse_unless(answer, "fields", 1)[0]
        except REFUSALS as error:
            return _by_hand(spec, module, str(error))
        if said.get("status") != "success" and said.get("code") != "DUPLICATE_DATA":
            return _by_hand(spec, module, f"{said.get('code')} {said.get('message', '')}".strip())
        return self._named(spec, module)

    def _named(self, spec: FieldSpec, module: str) -> Provisioned:
        """What Zoho called the field that was made of our label."""
        name, label = f"{module}.{spec.name}", label_of(spec)
        there = self._api.fields(module, fresh=True)
        if spec.name in there:
            return Provisioned(name, "created")
        called = next((api_name for api_name, one in there.items() if one.get("field_label") == label), None)
        if called is None:
            return Provisioned(name, "failed", "Zoho says that it was made, and does not show it: provision again")
        return Provisioned(
            name, "by_hand", f"Zoho calls it {called}: write {called} in write_back, or rename it in Setup"
        )

    def _add_module(self, target: WriteTarget, module: str) -> Provisioned:
        if target.into is None:
            return Provisioned(module, "failed", f"our user does not see {module}: grant it in its profile")
        by_hand = (
            f"Setup > Customization > Modules and Fields > Create New Module: API name {module}, visible to the profile of "
            "our user and to those who may see appraisals; then provision again"
        )
        if not module.isalnum():
            return Provisioned(module, "by_hand", f"Zoho makes modules of letters and digits only. {by_hand}")
        if self._dry_run:
            return Provisioned(module, "missing", "would be created, for 500 credits")
        try:
            self._make_module(module)
        except REFUSALS as error:
            return Provisioned(module, "by_hand", f"Zoho refused: {' '.join(str(error).split())}. {by_hand}")
        except RetryLaterError:
            if not self._api.fields(module, fresh=True):
                raise  # else it was made, and the answer was lost
        return Provisioned(
            module, "created", "visible to the profile of our user only: grant it to who may see appraisals"
        )

    def _make_module(self, module: str) -> None:
        profile = next(user for page in self._api.users("CurrentUser") for user in page)["profile"]["id"]
        shape = {
            "plural_label": module[:25],
            "singular_label": module.removesuffix("s")[:25],
            "api_name": module,
            "profiles": [{"id": profile}],  # an appraisal is for the person and those above
        }
        path = f"/crm/{self._api.version}/settings/modules"
        self._api.json("POST", path, price=MODULE_CREDITS, json={"modules": [shape]}, once=True)

    def _remove_field(self, spec: FieldSpec, module: str, identifier: str | None) -> Provisioned:
        name = f"{module}.{spec.name}"
        if identifier is None:
            return Provisioned(name, "missing", "was not there")
        if self._dry_run:
            return Provisioned(name, "exists", "would be deleted")
        path = f"/crm/{self._api.version}/settings/fields/{identifier}"
        try:
            self._api.json("DELETE", path, params={"module": module})
        except REFUSALS as error:
            return Provisioned(name, "by_hand", f"Zoho refused: {' '.join(str(error).split())}. Delete it in Setup")
        return Provisioned(name, "removed")


def _by_hand(spec: FieldSpec, module: str, reason: str) -> Provisioned:
    size = {"number": f", {spec.scale} decimals", "text": f", {min(spec.length, 255)} characters"}.get(spec.type, "")
    key = ", no duplicate values" if spec.name == spec.target.key else ""
    return Provisioned(
        f"{module}.{spec.name}",
        "by_hand",
        f"Zoho refused: {' '.join(reason.split())}. Setup > Customization > Modules and Fields > {module}: "
        f"{_TYPES[spec.type]}{size}{key}, label {label_of(spec)}; then see in Setup > Developer Hub > APIs and SDKs > API "
        f"names that it is called {spec.name}",
    )


def _by_target(wanted: Sequence[FieldSpec]) -> dict[WriteTarget, list[FieldSpec]]:
    """Specs by target, each once, the key of an own module first even if nobody asked for it."""
    groups: dict[WriteTarget, dict[str, FieldSpec]] = {}
    for spec in wanted:
        key = spec.target.key
        first = {key: FieldSpec(spec.target, key, "Key", "text")} if spec.target.into and key else {}
        groups.setdefault(spec.target, first)[spec.name] = spec
    return {target: list(group.values()) for target, group in groups.items()}
