"""Values that come in: JSON to what a column keeps, or the refusal that the platform gives."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.sandbox.dynamics.errors import BAD_PAYLOAD, Refusal, bad_payload
from connectors.sandbox.dynamics.ids import is_guid
from connectors.sandbox.dynamics.schema import EDM, OPTIONS, Column, TableType
from connectors.sandbox.dynamics.store import stamp


def read_json(body: bytes, set_name: str) -> dict[str, Any]:
    """A body as a JSON object, decimals kept exact. Refusal 400."""
    try:
        found = json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise bad_payload(set_name, f"Microsoft.OData.ODataException: An error has occurred: {error}") from error
    if not isinstance(found, dict):
        raise bad_payload(
            set_name,
            "Microsoft.OData.ODataException: A node of type 'StartArray' was read; 'StartObject' was expected.",
        )
    return found


def accept(table: TableType, column: Column, value: Any) -> Any:
    """What a plain column keeps of a JSON value. Refusal 400: wrong type, too long, out of range."""
    reader = _READERS.get(column.type)
    return value if value is None or reader is None else reader(table, column, value)


def _unfit(table: TableType, column: Column, value: Any) -> Refusal:
    shown = value if isinstance(value, str) else json.dumps(value, default=str)
    return bad_payload(
        table.set_name,
        f"Microsoft.OData.ODataException: Cannot convert the literal '{shown}' to the expected type '{EDM[column.type]}'.",
    )


def _text(table: TableType, column: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(table, column, value)
    if column.length is not None and len(value) > column.length:
        text = (
            f"A validation error occurred.  The length of the '{column.name}' attribute of the '{table.name}' entity "
            f"exceeded the maximum allowed length of '{column.length}'."
        )
        raise Refusal(400, "0x80044331", text)
    return value


def _whole(table: TableType, column: Column, value: Any) -> int:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unfit(table, column, value)
    _check_range(table, column, Decimal(value), "0x8004432f")
    return value


def _option(table: TableType, column: Column, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unfit(table, column, value)
    if column.options and value not in column.options:
        accepted = ",".join(str(one) for one in column.options)
        text = (
            f"A validation error occurred. The value {value} of '{column.name}' on record of type '{table.name}' is "
            f"outside the valid range. Accepted Values: {accepted}"
        )
        raise Refusal(400, "0x8004431a", text)
    return value


def _number(table: TableType, column: Column, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _unfit(table, column, value)
    number = Decimal(value) if isinstance(value, int | Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise _unfit(table, column, value)
    _check_range(table, column, number, "0x80044330")
    step = Decimal(1).scaleb(-column.precision)
    return number.quantize(step, ROUND_HALF_UP) if column.type == "decimal" and column.custom else number


def _check_range(table: TableType, column: Column, value: Decimal, code: str) -> None:
    if (column.low is not None and value < column.low) or (column.high is not None and value > column.high):
        text = (
            f"A validation error occurred. The value of '{column.name}' on record of type '{table.name}' is outside "
            "the valid range."
        )
        raise Refusal(400, code, text)


def _time(table: TableType, column: Column, value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(table, column, value)
    try:
        if column.type == "date":
            return date.fromisoformat(value).isoformat()
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise _unfit(table, column, value) from error
    return stamp(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))


def _truth(table: TableType, column: Column, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unfit(table, column, value)
    return value


def _id(table: TableType, column: Column, value: Any) -> str:
    if not isinstance(value, str) or not is_guid(value):
        raise _unfit(table, column, value)
    return value.lower()


_READERS: dict[str, Callable[[TableType, Column, Any], Any]] = {
    **dict.fromkeys(("string", "memo", "entityname"), _text),
    **dict.fromkeys(("int", "bigint"), _whole),
    **dict.fromkeys(OPTIONS, _option),
    **dict.fromkeys(("money", "decimal", "double"), _number),
    **dict.fromkeys(("date", "datetime"), _time),
    "bool": _truth,
    "guid": _id,
}


def unknown_member(table: TableType, name: str) -> Refusal:
    """400 for a property that the table lacks."""
    return bad_payload(
        table.set_name,
        f"Microsoft.Crm.CrmException: The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{table.name}'. "
        "Make sure to only use property names that are defined by the type.",
    )


def unknown_bind(table: TableType, name: str) -> Refusal:
    """400 for ``name@odata.bind`` without such a navigation property; names are case-sensitive."""
    text = (
        f"Error identified in Payload provided by the user for Entity :'{table.set_name}', InnerException : "
        f"Microsoft.OData.ODataException: An undeclared property '{name}' which only has property annotations in the "
        "payload but no property value was found in the payload. In OData, only declared navigation properties and "
        "declared named streams can be represented as properties without values."
    )
    return Refusal(400, BAD_PAYLOAD, text)
