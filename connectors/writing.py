"""What is written into a CRM, what it said to that, and what is found or made there: the words of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Value = str | int | bool | Decimal | date | datetime | None
"""What we write into a CRM field; each connector spells it in its CRM's way. None empties the field."""


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """Where writes go: the remote object of one record kind, by remote id, or by ``key`` into an object of our own."""

    record: Literal["opportunity", "person"]
    into: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """One record to write. ``remote_id`` is the record's id, or the key's value where the target has a key."""

    remote_id: str
    fields: Mapping[str, Value]


Recovery = Literal["retry", "park", "gone", "field"]
"""retry: worth another try soon; park: not until a person acts; gone: the record is no more; field: mend that field."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """The CRM's own words for refusing one record, and what follows."""

    code: str
    message: str
    recovery: Recovery = "park"


@dataclass(frozen=True, slots=True)
class Written:
    """The verdict on one write."""

    remote_id: str
    rejected: Rejection | None = None


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One custom field that we want to exist. ``length`` is for text, ``scale`` for numbers."""

    target: WriteTarget
    name: str
    label: str
    type: Literal["number", "text", "long_text", "datetime", "date"]
    length: int = 255
    scale: int = 2
    help: str = ""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What became of one field, object or permission; ``missing`` is said by a dry run.

    ``text`` says what was done, or for ``by_hand`` what the admin has to do.
    """

    name: str
    state: Literal["exists", "created", "missing", "removed", "by_hand", "failed"]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``scoreback check``."""

    level: Literal["ok", "info", "warning", "error"]
    where: str
    text: str
    advice: str = ""
