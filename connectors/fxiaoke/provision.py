"""What an administrator has to make by hand: Fxiaoke has no interface that makes fields or objects."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.base import FieldSpec, Provisioned
from connectors.fxiaoke.api import FxiaokeApi
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.write import remote_object

_SHAPES: Mapping[str, tuple[str, frozenset[str]]] = {
    "number": ("数字 (number)", frozenset({"number", "currency"})),
    "text": ("单行文本 (text)", frozenset({"text", "long_text"})),
    "long_text": ("多行文本 (long_text)", frozenset({"long_text"})),
    "datetime": ("日期时间 (date_time)", frozenset({"date_time"})),
    "date": ("日期 (date)", frozenset({"date"})),
}
"""The field type in the console, and the types of describe that take such values."""


def misfit(spec: FieldSpec, known: Mapping[str, Any] | None) -> str | None:
    """Why a field cannot take what we write; None if it can. ``known`` is what describe says of it."""
    wanted, kinds = _SHAPES[spec.type]
    if known is None:
        return f"there is no such field in use; it should be {wanted}"
    if known.get("type") not in kinds:
        return f"it is of type {known.get('type')} and should be {wanted}"
    decimals = known.get("decimal_places")
    if spec.type == "number" and decimals is not None and int(decimals) < spec.scale:
        return f"it takes {decimals} decimals and should take {spec.scale}"
    length = known.get("max_length")
    if spec.type == "text" and length is not None and int(length) < spec.length:
        return f"it takes {length} characters and should take {spec.length}"
    if spec.name == spec.target.key:
        return "it should be unique (唯一)" if known.get("is_unique") is False else None
    return "it should not be required (必填)" if known.get("is_required") is True else None


def provisioned(api: FxiaokeApi, connection: FxiaokeSettings, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
    """What exists, and the administrator's steps for what does not."""
    objects = {spec.target.into for spec in wanted if spec.target.into}
    for remote in sorted(objects):
        if api.describe(remote, fresh=True) is None:
            yield Provisioned(
                remote,
                "by_hand",
                "管理后台 > 对象管理 > 新建自定义对象 (console > objects > new custom object): label 销售考核, its name (主属性) typed by "
                "hand and unique; write the api name that it gets into write_back.person.into",
            )
    for spec in wanted:
        remote = remote_object(connection, spec.target)
        described = api.describe(remote)
        reason = misfit(spec, None if described is None else described.fields.get(spec.name))
        name = f"{remote}.{spec.name}"
        if reason is None:
            yield Provisioned(name, "exists")
        else:
            yield Provisioned(name, "by_hand", f"{reason}. {_steps(spec, described.label if described else remote)}")


def _steps(spec: FieldSpec, label: str) -> str:
    shape, _ = _SHAPES[spec.type]
    size = f", {spec.scale} decimals" if spec.type == "number" else f", at least {spec.length} characters"
    size = size if spec.type in ("number", "text") else ""
    return (
        f"管理后台 > 对象管理 > {label} > 字段 > 新建字段 (console > objects > fields > new): {shape}{size}, label {spec.label}, api name "
        f"{spec.name} if it may be typed, else write the one that it gets into write_back; not required, read-only for sales"
    )


def unprovisioned(api: FxiaokeApi, connection: FxiaokeSettings, wanted: Sequence[FieldSpec]) -> Iterator[Provisioned]:
    """The administrator's steps for taking our fields away."""
    for spec in wanted:
        remote = remote_object(connection, spec.target)
        described = api.describe(remote)
        if described is not None and spec.name in described.fields and spec.name != "name":
            text = f"管理后台 > 对象管理 > {described.label} > 字段 (console > objects > fields): switch it off (禁用), then delete it"
            yield Provisioned(f"{remote}.{spec.name}", "by_hand", text)
        else:
            yield Provisioned(f"{remote}.{spec.name}", "missing")
