"""YAML 1.2 with the place of every value, so that a finding can say file, line and column."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path_ = tuple[str | int, ...]
"""Keys and list positions from the top of a file to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding in a configuration file. ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


@dataclass(slots=True)
class YamlFile:
    """One parsed file: plain values, and where each key and value stands."""

    path: Path
    shown: str
    data: Any = None
    keys: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    places: set[Path_] = field(default_factory=set)
    """Where findings were made, so that no second one repeats the first in other words."""

    def problem(self, where: Path_, text: str, *, at_key: bool = False) -> None:
        """Adds a finding at a value, or at its key; at the nearest enclosing one where there is none."""
        line, column = self._mark(where, at_key=at_key)
        self.problems.append(Problem(self.shown, line, column, text))
        self.places.add(where)

    def at(self, where: Path_) -> Any:
        """The value at a place; None where there is none."""
        value = self.data
        for step in where:
            inside = value.get(step) if isinstance(value, dict) else None
            value = value[step] if isinstance(value, list) and isinstance(step, int) else inside
        return value

    def has_problem_within(self, where: Path_) -> bool:
        """Whether a finding was made at a place or below it."""
        return any(place[: len(where)] == where for place in self.places)

    def _mark(self, where: Path_, *, at_key: bool) -> tuple[int, int]:
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        for length in range(len(where), -1, -1):
            part = where[:length]
            if part in first:
                return first[part]
            if part in second:
                return second[part]
        return (1, 1)


def read_yaml(path: Path, shown: str) -> YamlFile:
    """The file as plain values; numbers with a fraction are Decimal from their text. Never raises: see ``problems``."""
    file = YamlFile(path, shown)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        file.problems.append(Problem(shown, 1, 1, f"cannot be read: {reason}"))
        return file
    try:
        node = YAML().compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        # What stands in quotes may be the end of a secret, which begins with * or ! more often than YAML likes.
        what = re.sub(r"'[^']{3,}'", "a name", str(error.problem or error.context or "nothing to read"))
        advice = "put text with special characters between quotes"
        file.problems.append(Problem(shown, line, column, f"is not valid YAML: {what}: {advice}"))
        return file
    except YAMLError as error:
        file.problems.append(Problem(shown, 1, 1, f"is not valid YAML: {type(error).__name__}"))
        return file
    try:
        file.data = {} if node is None else _plain(node, (), file)
    except RecursionError:
        file.problems.append(
            Problem(shown, 1, 1, "is not valid YAML: an alias (*) stands inside of its own anchor (&)")
        )
    return file


def _plain(node: Node, where: Path_, file: YamlFile) -> Any:
    file.values[where] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, MappingNode):
        return _mapping(node, where, file)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*where, index), file) for index, item in enumerate(node.value)]
    return _scalar(str(node.value), str(node.tag))


def _mapping(node: MappingNode, where: Path_, file: YamlFile) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if not isinstance(key_node, ScalarNode):
            file.problems.append(Problem(file.shown, *place, "a key must be one word, not a list or map"))
            continue
        key = str(key_node.value)
        here = (*where, key)
        if key in result:
            first = file.keys[here][0]
            text = f"{'.'.join(str(step) for step in here)} is written twice, first in line {first}: keep one"
            file.problems.append(Problem(file.shown, *place, text))
            continue
        file.keys[here] = place
        result[key] = _plain(value_node, here, file)
    return result


def _scalar(text: str, tag: str) -> Any:
    """The value as YAML 1.2 means it; a text where it cannot be that, so that the settings say what they expect."""
    try:
        match tag.rsplit(":", 1)[-1]:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return _whole(text)
            case "float":
                return Decimal(text.replace("_", ""))
            case "timestamp":
                return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except (ValueError, InvalidOperation):
        return text
    return text


def _whole(text: str) -> int | str:
    if text.lower().startswith(("0x", "0o")):
        return int(text.replace("_", ""), 0)
    if text.startswith("0") and text != "0":
        return text  # an id such as 007 keeps its zeros; where a number is wanted it still reads as one
    return int(text)
