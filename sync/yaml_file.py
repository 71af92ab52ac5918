"""YAML 1.2 with the place of every value, so that a finding can say file, line and column."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from connectors.secrets import veiled

Path_ = tuple[str | int, ...]
"""Keys and list positions from the top of a file to a value."""

Place = tuple[int, int]
"""Line and column, from 1."""

LARGEST = 1 << 18
"""Bytes of a file. It takes as many values as it could hold of the usual length, those behind an alias each time."""

_USUAL_BYTES = 8
"""Of a value."""

DEEPEST = 40
"""Maps and lists within each other."""

MOST_DIGITS = 30
"""Digits of a number before the decimal point; twice as many may stand behind it."""

_MOST_BITS = 100
"""Of a whole number with so many digits."""

_TOO_DEEP = f"maps and lists stand more than {DEEPEST} deep, or an alias (*) stands inside of its own anchor (&)"
_TOO_MANY = "there are more values than a configuration has, counting what an alias (*) repeats"


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
    keys: dict[Path_, Place] = field(default_factory=dict)
    values: dict[Path_, Place] = field(default_factory=dict)
    room: int = LARGEST // _USUAL_BYTES
    """How many more values it may have."""
    problems: list[Problem] = field(default_factory=list)
    places: set[Path_] = field(default_factory=set)
    """Where findings were made, so that no second one repeats the first in other words."""

    def problem(self, where: Path_, text: str, *, at_key: bool = False) -> None:
        """Adds a finding at a value, or at its key; at the nearest enclosing one where there is none."""
        self.add(self._mark(where, at_key=at_key), text)
        self.places.add(where)

    def add(self, place: Place, text: str) -> None:
        """Adds a finding at a line and column. Words of it that look like a credential are hidden."""
        self.problems.append(Problem(self.shown, *place, veiled(text)))

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

    def _mark(self, where: Path_, *, at_key: bool) -> Place:
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        for length in range(len(where), -1, -1):
            part = where[:length]
            if part in first:
                return first[part]
            if part in second:
                return second[part]
        return (1, 1)


def read_yaml(path: Path, shown: str, *, largest: int = LARGEST) -> YamlFile:
    """The file as plain values; numbers with a fraction are Decimal from their text. Never raises: see ``problems``.

    What is larger than ``largest`` bytes, deeper or has more values than a configuration is a finding, made in little time.
    """
    file = YamlFile(path, shown, room=largest // _USUAL_BYTES)
    try:
        with path.open("rb") as opened:
            content = opened.read(largest + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        file.add((1, 1), f"cannot be read: {reason}")
        return file
    if len(content) > largest:
        file.add((1, 1), f"is larger than {largest // 1024} KiB: that is no configuration")
        return file
    try:
        node = _yaml(file.room).compose(text)
        file.data = {} if node is None else _plain(node, (), file)
    except MarkedYAMLError as error:
        file.add(_place(error.problem_mark or error.context_mark), _what_is_wrong(error))
    except ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        file.add(place, "is not valid YAML: a character that YAML does not take: remove it")
    except YAMLError as error:
        file.add((1, 1), f"is not valid YAML: {type(error).__name__}")
    return file


def _yaml(room: int) -> YAML:
    class Bounded(_Composer):
        _room = room

    yaml = YAML()
    yaml.Composer = Bounded
    return yaml


class _Composer(Composer):
    """Stops at a depth where the ordinary one ends in a RecursionError, and at a number of values."""

    _room: int
    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        self._room -= 1
        wrong = _TOO_DEEP if self._depth > DEEPEST else _TOO_MANY if self._room < 0 else None
        if wrong is not None:
            raise MarkedYAMLError(problem=wrong, problem_mark=self.parser.peek_event().start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _place(mark: Any) -> Place:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _what_is_wrong(error: MarkedYAMLError) -> str:
    if error.problem in (_TOO_DEEP, _TOO_MANY):
        return f"is not taken: {error.problem}"
    # What stands in quotes may be the end of a secret, which begins with * or ! more often than YAML likes.
    what = re.sub(r"'[^']{3,}'", "a name", str(error.problem or error.context or "nothing to read"))
    return f"is not valid YAML: {what}: put text with special characters between quotes"


def _plain(node: Node, where: Path_, file: YamlFile) -> Any:
    file.room -= 1
    if file.room < 0:  # an alias (*) of an alias of an alias soon stands for billions
        raise MarkedYAMLError(problem=_TOO_MANY, problem_mark=node.start_mark)
    if len(where) > DEEPEST:  # the composer has passed it, so it is an alias
        raise MarkedYAMLError(problem=_TOO_DEEP, problem_mark=node.start_mark)
    file.values[where] = _place(node.start_mark)
    if isinstance(node, MappingNode):
        return _mapping(node, where, file)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*where, index), file) for index, item in enumerate(node.value)]
    value = _scalar(str(node.value), str(node.tag))
    if isinstance(value, Decimal | int) and not _is_sane(value):
        file.problem(where, f"{_dotted(where)} is a number beyond all measure: put it between quotes if it is a name")
        return None
    return value


def _is_sane(value: Decimal | int) -> bool:
    if isinstance(value, int):
        return value.bit_length() <= _MOST_BITS
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent > -2 * MOST_DIGITS and value.adjusted() < MOST_DIGITS


def _dotted(where: Path_) -> str:
    return ".".join(str(step) for step in where) or "the file"


def _mapping(node: MappingNode, where: Path_, file: YamlFile) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = _place(key_node.start_mark)
        if not isinstance(key_node, ScalarNode):
            file.add(place, "a key must be one word, not a list or map")
            continue
        key = str(key_node.value)
        here = (*where, key)
        if key in result:
            first = file.keys[here][0]
            file.add(place, f"{_dotted(here)} is written twice, first in line {first}: keep one")
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
