"""What a connection file of kind ``csv`` may say."""

import codecs
import difflib
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator

from connectors.settings import ConnectionSettings, KeyedWriteBack, from_file

FILES: dict[str, str] = {
    "person": "people",
    "account": "accounts",
    "stage": "stages",
    "opportunity": "opportunities",
    "change": "changes",
    "activity": "activities",
    "split": "splits",
    "line_item": "line_items",
    "target": "targets",
    "forecast": "forecasts",
    "survey": "surveys",
    "payment": "payments",
    "contract": "contracts",
    "absence": "absences",
    "rate": "rates",
    "rating": "ratings",
}
"""File names of a world folder, without ending, by record."""

_OPPORTUNITY = ("score", "grade", "reasons", "next_best_action", "scored_at", "plan", "digest")
_PERSON = ("appraisal", "band", "attainment", "period")


def _write_back() -> dict[Literal["opportunity", "person"], KeyedWriteBack | dict[str, str]]:
    return {"opportunity": {name: name for name in _OPPORTUNITY}, "person": {name: name for name in _PERSON}}


class CsvSettings(ConnectionSettings):
    """A folder of files. ``files`` names those that are not called as in a world folder, relative to ``folder``."""

    own_names_only: ClassVar[bool] = False
    own_paths_only: ClassVar[bool] = False

    folder: Annotated[Path, BeforeValidator(from_file)]
    files: dict[str, str] = Field(default_factory=dict)
    date_format: str | None = Field(default=None, description="As in strptime, e.g. %d.%m.%Y; ISO is always understood")
    decimal: Literal[".", ","] = "."
    time_zone: str = Field(default="UTC", description="Zone of times that name none")
    encoding: str | None = Field(default=None, description="Where the guess is wrong, e.g. gb18030")
    write_back: dict[Literal["opportunity", "person"], KeyedWriteBack | dict[str, str]] = Field(
        default_factory=_write_back
    )

    @field_validator("files")
    @classmethod
    def _known_kinds(cls, value: dict[str, str]) -> dict[str, str]:
        for kind in value:
            if kind not in FILES:
                near = difflib.get_close_matches(kind, FILES, n=1)
                advice = f"Did you mean {near[0]}?" if near else f"There are {', '.join(FILES)}."
                message = f"{kind} is not a record we know. {advice}"
                raise ValueError(message)
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            message = "must be a time zone such as Europe/Berlin"
            raise ValueError(message) from None
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            return None if value is None else codecs.lookup(value).name
        except LookupError:
            message = "must be an encoding such as utf-8, cp1252 or gb18030"
            raise ValueError(message) from None
