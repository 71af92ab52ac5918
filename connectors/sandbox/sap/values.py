"""How values of Edm types look: in rows, in JSON, in Atom, in filters.

A row holds text, true and false, whole numbers, decimals as text with the scale of their property, and dates and moments
as microseconds since 1970 in UTC. Nothing is said of a value that is initial.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

from connectors.sandbox.sap.errors import ODataError
from connectors.sandbox.sap.schema import Property

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DATE = re.compile(r"/Date\((-?\d{1,15})(?:([+-])(\d{4}))?\)/")
GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,7})?)?(Z|[+-]\d{2}:\d{2})?")
_INT = 2**31
_MOST_DIGITS = 22
_DAY = 86_400_000_000


def micros(moment: datetime) -> int:
    """An aware moment as rows hold it."""
    return (moment - EPOCH) // _MICROSECOND


def moment_of(value: int) -> datetime:
    """A row's moment as an aware one."""
    return EPOCH + timedelta(microseconds=value)


def read_iso(text: str) -> int:
    """An ISO date or moment, UTC where nothing is said; ValueError if it is none. A seventh digit of a second is cut."""
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d", r"\1", text) if "." in text else text)
    return micros(found if found.tzinfo else found.replace(tzinfo=UTC))


def iso(value: int) -> str:
    """``2020-07-10T02:05:13.1234560Z``: seven digits of a second, as ETags and Atom have them."""
    return f"{moment_of(value):%Y-%m-%dT%H:%M:%S.%f}0Z"


def etag(value: int) -> str:
    """The weak tag of a record's ETag stamp."""
    return f"W/\"datetimeoffset'{iso(value).replace(':', '%3A')}'\""


def decimal_text(value: Decimal | str | float, scale: int) -> str:
    """A number as text with so many places; ValueError if it is none."""
    try:
        return f"{Decimal(str(value)):.{scale}f}"
    except InvalidOperation as error:
        raise ValueError(str(value)) from error


def _date_json(value: int | None) -> str:
    return "null" if value is None else f'"/Date({value // 1000})/"'


def _offset_json(value: int | None) -> str:
    return "null" if value is None else f'"/Date({value // 1000}+0000)/"'


def _text_json(value: str | None) -> str:
    return encode_basestring(value) if value else '""'


def _guid_json(value: str | None) -> str:
    return f'"{value}"' if value else "null"


def _decimal_json(value: str | None) -> str:
    return f'"{value}"'


def _flag_json(value: bool | None) -> str:
    return "true" if value else "false"


def _int_json(value: int | None) -> str:
    return str(value or 0)


def json_writer(kind: str, *, offset: bool = False) -> Callable[[Any], str]:
    """What turns a row's value of that kind into JSON. ``offset``: moments carry ``+0000``."""
    if kind == "moment" and offset:
        return _offset_json
    return _JSON[kind]


_JSON: dict[str, Callable[[Any], str]] = {
    "code": _text_json, "text": _text_json, "guid": _guid_json, "date": _date_json, "moment": _date_json,
    "decimal": _decimal_json, "percent": _decimal_json, "flag": _flag_json, "int": _int_json,
}  # fmt: skip


def initial_json(one: Property) -> str:
    """The JSON of a value that was never set."""
    return f'"{0:.{one.scale}f}"' if one.edm == "Edm.Decimal" else _JSON[one.kind](None)


def atom_text(one: Property, value: Any) -> str | None:
    """The text of a value in Atom; None: ``m:null``."""
    if value is None:
        return {"Edm.String": "", "Edm.Decimal": f"{0:.{one.scale}f}", "Edm.Boolean": "false", "Edm.Int32": "0"}.get(
            one.edm
        )
    if one.kind == "date":
        return iso(value)[:-1]
    if one.kind == "moment":
        return iso(value)
    if one.kind == "flag":
        return "true" if value else "false"
    return str(value)


def read_json(one: Property, value: Any) -> Any:
    """The row's value of what a client sent; None: initial. ODataError for a value that the type does not have."""
    if value is None:
        return None
    try:
        return _READERS[one.edm](one, value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ODataError(400, f"Invalid value for property '{one.name}' of type {one.edm}") from error


def _read_text(one: Property, value: Any) -> str | None:
    if not isinstance(value, str):
        raise TypeError(one.name)
    if one.max_length is not None and len(value) > one.max_length:
        raise ValueError(one.name)
    return value or None


def _read_guid(one: Property, value: Any) -> str:
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise ValueError(one.name)
    return value.upper()


def _read_flag(one: Property, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(one.name)
    return value


def _read_int(one: Property, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT <= value < _INT:
        raise TypeError(one.name)
    return value


def _read_decimal(one: Property, value: Any) -> str:
    """Decimals travel as text: a bare number is refused, as OData version 2 has it."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise TypeError(one.name)
    if len(value.partition(".")[0].lstrip("-")) > _MOST_DIGITS:
        raise ValueError(one.name)
    return decimal_text(value, one.scale)


def _read_date(one: Property, value: Any) -> int:
    if not isinstance(value, str):
        raise TypeError(one.name)
    if found := _DATE.fullmatch(value):
        read = int(found[1]) * 1000
        moment_of(read)
    elif _ISO.fullmatch(value):
        read = read_iso(value)
    else:
        raise ValueError(one.name)
    return read - read % _DAY if one.kind == "date" else read


_READERS: dict[str, Callable[[Property, Any], Any]] = {
    "Edm.String": _read_text, "Edm.Guid": _read_guid, "Edm.Boolean": _read_flag, "Edm.Int32": _read_int,
    "Edm.Decimal": _read_decimal, "Edm.DateTime": _read_date, "Edm.DateTimeOffset": _read_date,
}  # fmt: skip
