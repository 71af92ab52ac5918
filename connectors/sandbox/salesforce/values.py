"""What Salesforce takes as a value of a field, how it keeps it, and in which words it refuses one."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.sandbox.salesforce.ids import to_18
from connectors.sandbox.salesforce.schema import NUMBERS, Field
from connectors.sandbox.salesforce.store import Org, stamp


class RowError(Exception):
    """One record is refused: what a collection answers in its row. ``status``: where the call is about it alone."""

    def __init__(self, code: str, text: str, fields: Sequence[str] = (), status: int = 400) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.fields = list(fields)
        self.status = status


class CallError(Exception):
    """The whole call is refused: HTTP status, error code, text."""

    def __init__(self, status: int, code: str, text: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {text}")
        self.status = status
        self.code = code
        self.text = text
        self.fields = list(fields)

    def body(self) -> list[dict[str, Any]]:
        """The REST API's error list."""
        entry: dict[str, Any] = {"message": self.text, "errorCode": self.code}
        if self.fields:
            entry["fields"] = self.fields
        return [entry]


def convert(org: Org, one: Field, value: Any) -> Any:
    """The value as rows keep it.

    RowError if it does not fit, CallError if it cannot even be read as the field's type.
    """
    if value is None or value == "":
        if one.type == "boolean":
            text = f"{one.name}: value not of required type: null"
            raise RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", text, [one.name])
        return None
    if one.type == "boolean":
        return _boolean(value)
    if one.type in NUMBERS:
        return _number(one, value)
    if isinstance(value, dict | list):
        raise _unreadable("string", value)
    # A number or a boolean given for a text is taken as its text.
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if one.type in {"reference", "id"}:
        return _reference(org, one, text)
    days: dict[str, Callable[[str], str]] = {"date": _date, "datetime": _datetime}
    return days[one.type](text) if one.type in days else _text(one, text)


def _unreadable(kind: str, value: Any) -> CallError:
    shape = {str: "VALUE_STRING", bool: "VALUE_TRUE", dict: "START_OBJECT", list: "START_ARRAY"}.get(
        type(value), "VALUE_NUMBER"
    )
    text = (
        f"Cannot deserialize instance of {kind} from {shape} value {value} or request may be missing a required field "
        "at [line:1, column:1]"
    )
    return CallError(400, "JSON_PARSER_ERROR", text)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false", "1", "0"}:
        return str(value).lower() in {"true", "1"}
    raise _unreadable("boolean", value)


def _number(one: Field, value: Any) -> float | int:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or isinstance(value, bool):
        raise _unreadable("int" if one.type == "int" else "double", value)
    if one.type == "int":
        if number != number.to_integral_value():
            raise _unreadable("int", value)
        return int(number)
    # More decimals than the field has are rounded, too many digits before the point are refused.
    rounded = number.quantize(Decimal(1).scaleb(-one.scale), ROUND_HALF_UP)
    if abs(rounded) >= Decimal(10) ** (one.precision - one.scale if one.custom else one.precision):
        text = f"{one.label or one.name}: value outside of valid range on numeric field: {value}"
        raise RowError("NUMBER_OUTSIDE_VALID_RANGE", text, [one.name])
    return float(rounded)


def _date(value: str) -> str:
    try:
        return date.fromisoformat(value[:10] if "T" in value else value).isoformat()
    except ValueError:
        raise _unreadable("date", value) from None


def _datetime(value: str) -> str:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _unreadable("datetime", value) from None
    return stamp(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))


def _reference(org: Org, one: Field, value: str) -> str:
    known = to_18(value)
    kind = org.object_of(known) if known else None
    if known is None or kind is None or (one.refers and kind.name not in one.refers):
        raise RowError("MALFORMED_ID", f"{one.label or one.name}: id value of incorrect type: {value}", [one.name])
    target = org.row(known)
    if one.refers and (target is None or target.get("IsDeleted")):
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [one.name])
    if one.name == "OwnerId" and target is not None and kind.name == "User" and not target.get("IsActive"):
        text = f"operation performed with inactive user [{known}] as owner of {one.name.removesuffix('Id').lower()}"
        raise RowError("INACTIVE_OWNER_OR_USER", text, [one.name])
    return known


def _text(one: Field, value: str) -> str:
    if one.length and len(value) > one.length:
        shown = value if len(value) <= one.length + 20 else value[: one.length + 20]
        text = f"{one.label or one.name}: data value too large: {shown} (max length={one.length})"
        raise RowError("STRING_TOO_LONG", text, [one.name])
    if one.restricted and value not in one.picklist:
        text = f"{one.label or one.name}: bad value for restricted picklist field: {value}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, [one.name])
    if one.type == "email" and "@" not in value:
        raise RowError("INVALID_EMAIL_ADDRESS", f"{one.name}: invalid email address: {value}", [one.name])
    return value
