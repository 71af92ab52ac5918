"""What cells of an export mean: numbers, days and moments in the spellings that people use."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from connectors.types import canonical_text

Sort = Literal["moment", "date", "number", "text"]

SORTS: tuple[Sort, ...] = ("moment", "date", "number", "text")
"""From the fullest reading to the plainest."""

NOON = time(12)
"""A moment of which only the day is known is set to noon: the same day for readers in nearly every time zone."""

_GROUPED = {
    ".": re.compile(r"-?\d{1,3}(,\d{3}){2,}(\.\d+)?|-?\d{1,3}(,\d{3})+\.\d+"),  # 1,500 alone could be one and a half
    ",": re.compile(r"-?\d{1,3}(\.\d{3})+(,\d+)?"),
}


def _types(annotation: Any) -> set[Any]:
    """The plain types in an annotation, without Annotated and unions."""
    if hasattr(annotation, "__metadata__"):
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return set().union(*(_types(part) for part in get_args(annotation)))
    return {annotation} if isinstance(annotation, type) else set()


def sort_of(field: FieldInfo) -> Sort:
    """Which spelling a field of a record takes."""
    types = _types(field.annotation)
    if datetime in types:
        return "moment"
    if date in types:
        return "date"
    return "number" if types & {Decimal, int} else "text"


class Spelling:
    """One connection's way to write values. Each reading returns the cell unchanged if it does not understand it."""

    def __init__(self, *, date_format: str | None, decimal: Literal[".", ","], zone: tzinfo) -> None:
        self._format = date_format
        self._decimal = decimal
        self._zone = zone

    def readings(self) -> Mapping[Sort, Callable[[Any], Any]]:
        """How to read a cell, by what its column feeds."""
        return {"moment": self.moment, "date": self.day, "number": self.number, "text": self.text}

    def number(self, cell: Any) -> Any:
        """``1.234,50`` with decimal comma, ``60%``, ``1 000``: as plain decimals."""
        if not isinstance(cell, str):
            return cell
        text = cell.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
        share = text.endswith("%")
        text = text[:-1] if share else text
        grouping = "," if self._decimal == "." else "."
        if grouping in text and _GROUPED[self._decimal].fullmatch(text):
            text = text.replace(grouping, "")
        if self._decimal == ",":
            text = text.replace(".", "?").replace(",", ".")  # a point that groups nothing is a mistake, not a decimal
        return canonical_text(Decimal(text) / 100) if share and re.fullmatch(r"-?\d+(\.\d+)?", text) else text

    def day(self, cell: Any) -> Any:
        """A date, or a moment's date, as ISO text."""
        found = self._parsed(cell)
        return cell if found is None else found.isoformat()[:10]

    def moment(self, cell: Any) -> Any:
        """A moment with its zone as ISO text: the connection's zone where the cell names none, noon if without time."""
        if isinstance(cell, str) and len(cell) == 20 and cell[-1] == "Z":
            return cell  # as Scoreback writes it
        found = self._parsed(cell)
        if found is None:
            return cell
        if not isinstance(found, datetime):
            found = datetime.combine(found, NOON)
        return (found.replace(tzinfo=self._zone) if found.tzinfo is None else found).isoformat()

    def text(self, cell: Any) -> Any:
        """A number of a spreadsheet as its digits."""
        if isinstance(cell, bool) or not isinstance(cell, int | Decimal):
            return cell
        return canonical_text(Decimal(cell))

    def _parsed(self, cell: Any) -> date | datetime | None:
        if isinstance(cell, date):
            return cell
        if not isinstance(cell, str) or not cell.strip():
            return None
        text = cell.strip()
        if self._format is not None:
            try:
                found = datetime.strptime(text, self._format)  # noqa: DTZ007 - the zone is added by whoever wants a moment
            except ValueError:
                pass  # the same file may hold ISO dates too
            else:
                return found if any(mark in self._format for mark in ("%H", "%I")) else found.date()
        try:
            return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
        except ValueError:
            return None
