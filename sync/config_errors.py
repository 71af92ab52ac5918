"""Pydantic's findings in our words, at the place in the file where they arose."""

import re
import types
from collections.abc import Iterable
from copy import deepcopy
from difflib import get_close_matches
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sync.yaml_file import YamlFile

Where = tuple[str | int, ...]

_MUST_BE = {
    "string_type": "text: put it between quotes",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "finite_number": "a number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a date such as 2025-01-31",
    "date_from_datetime_inexact": "a date such as 2025-01-31",
    "date_parsing": "a date such as 2025-01-31",
    "date_type": "a date such as 2025-01-31",
    "model_type": "a map of keys to values",
    "model_attributes_type": "a map of keys to values",
    "dict_type": "a map of keys to values",
    "list_type": "a list",
    "tuple_type": "a list",
}
"""What was expected, by the type of pydantic's finding."""

_WITH_SECRETS = ("sign_in", "store")
"""Maps of a file that name secrets."""

_BOUNDS = {"greater_than": "more than {gt}", "greater_than_equal": "at least {ge}", "less_than": "less than {lt}",
           "less_than_equal": "at most {le}"}  # fmt: skip


def nearest(word: str, known: Iterable[str]) -> str:
    """`` Did you mean close_on?``, or nothing where no known word is close."""
    by_lower = {name.lower(): name for name in known}
    longer = [name for name in by_lower if word and name.startswith(f"{word.lower()}_")]
    close = longer or get_close_matches(word.lower(), by_lower, n=1, cutoff=0.65)
    return f" Did you mean {by_lower[close[0]]}?" if close else ""


def explain(error: ValidationError, model: type[BaseModel], file: YamlFile) -> None:
    """Adds each finding of ``error`` to ``file`` at its line and column.

    A place that has one already, or that holds one, gets no second: that would only say what follows from the first.
    """
    for detail in error.errors(include_url=False, include_input=False):
        where = place_of(detail, file)
        if not where or not file.has_problem_within(where):
            at_key = detail["type"] == "extra_forbidden" or detail["loc"][-1:] == ("[key]",)
            file.problem(where, _text(detail, where, model, file), at_key=at_key)


def place_of(detail: ErrorDetails, file: YamlFile) -> Where:
    """Where a finding is in the file: its path without the names of union branches; a missing key is the last step."""
    where: Where = ()
    loc = detail["loc"]
    for position, step in enumerate(loc):
        here = (*where, step)
        is_missing = detail["type"] == "missing" and position == len(loc) - 1
        if here in file.values or here in file.keys or is_missing:
            where = here
    return where


def without_mistakes(data: Any, error: ValidationError, file: YamlFile) -> Any:
    """``data`` without the values that ``error`` complains of; ``data`` itself if nothing can be left out."""
    pruned = deepcopy(data)
    for detail in error.errors(include_url=False, include_input=False):
        where = place_of(detail, file)
        if detail["type"] == "missing":
            where = where[:-1]
        while where and isinstance(where[-1], int):
            where = where[:-1]  # without one item the others would stand elsewhere
        if where:
            _remove(pruned, where)
    return data if pruned == data else pruned


def _remove(data: Any, where: Where) -> None:
    for step in where[:-1]:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return  # a place further up has been removed already
    if isinstance(data, dict):
        data.pop(where[-1], None)


def _text(detail: ErrorDetails, where: Where, model: type[BaseModel], file: YamlFile) -> str:
    name = ".".join(str(step) for step in where) or "the file"
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _MUST_BE:
        return f"{name} must be {_MUST_BE[kind]}"
    if kind in _BOUNDS:
        return f"{name} must be {_BOUNDS[kind].format(**context)}"
    match kind:
        case "extra_forbidden":
            return f"{_key_shown(where)} is not a key we know.{nearest(str(where[-1]), keys_at(model, where[:-1]))}"
        case "missing":
            return f"{name} is missing: add it"
        case "literal_error" | "enum":
            expected = str(context.get("expected", ""))
            said = where[-1] if detail["loc"][-1:] == ("[key]",) else file.at(where)
            advice = nearest(str(said), re.findall(r"'([^']+)'", expected))
            return f"{name} must be one of {expected}" + (f".{advice}" if advice else "")
        case "string_pattern_mismatch":
            return f"{name} must look like {_example(model, where) or context['pattern']}"
        case "value_error":
            return f"{name}: {detail['msg'].removeprefix('Value error, ')}"
        case _:
            message = detail["msg"]
            return f"{name}: {message[0].lower()}{message[1:]}"


def _key_shown(where: Where) -> str:
    """The unknown key's path. Where secrets stand only a plain word is repeated, for it may be the secret itself."""
    last = str(where[-1])
    hidden = where[0] in _WITH_SECRETS and re.fullmatch("[A-Za-z_]{1,20}", last) is None
    return ".".join(str(step) for step in (*where[:-1], "***" if hidden else last))


def _example(model: type[BaseModel], where: Where) -> str:
    here: Any = model
    for step in where[:-1]:
        here = _step(here, step)
    for part in _models(here):
        for name, info in part.model_fields.items():
            if where[-1] in names_of(name, info) and info.examples:
                return str(info.examples[0])
    return ""


def names_of(name: str, info: FieldInfo) -> tuple[str, ...]:
    """What a field may be called in YAML; the first is the one to teach."""
    return (info.alias, name) if info.alias else (name,)


def keys_at(model: type[BaseModel], where: Where) -> list[str]:
    """The keys that a model knows at a place, by YAML name; empty where a place has no model."""
    here: Any = model
    for step in where:
        here = _step(here, step)
        if here is None:
            return []
    return [names_of(name, info)[0] for part in _models(here) for name, info in part.model_fields.items()]


def _step(annotation: Any, step: str | int) -> Any:
    for part in _models(annotation):
        for name, info in part.model_fields.items():
            if step in names_of(name, info):
                return info.annotation
    for part in _parts(annotation):
        origin, arguments = get_origin(part), get_args(part)
        if origin is dict:
            return arguments[1]
        if origin in (list, tuple) and isinstance(step, int):
            return arguments[0]
    return None


def _models(annotation: Any) -> list[type[BaseModel]]:
    return [part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]


def _parts(annotation: Any) -> list[Any]:
    """Union members and annotated types, flattened."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [part for member in get_args(annotation) for part in _parts(member)]
    return [annotation]
