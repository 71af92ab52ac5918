"""``scoreback init``: a few answers become a commented configuration."""

import json
import os
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from connectors.addresses import is_loopback
from connectors.registry import kinds
from sync.cli.emulators import connection_template, with_sandbox_secrets
from sync.cli.files import writing_to
from sync.cli.shared import err, out
from sync.config import read_connection
from sync.json_schema import SCHEMA_NAMES, schema_text
from sync.yaml_file import YamlFile

DEFAULTS = Path(__file__).parent.parent / "defaults"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_GIVEN_URL = ("salesforce",)
"""Kinds of which every customer has an address of its own."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What ``init`` needs to know. ``base_url`` is the folder for csv."""

    kind: str
    name: str
    base_url: str
    time_zone: str
    currency: str


def ask(
    *, kind: str | None, name: str | None, base_url: str | None, time_zone: str | None, currency: str | None
) -> Answers:
    """Asks for what was not given. Raises BadParameter for a given answer that is none."""
    known = kinds()
    kind = _answer(kind, f"Which CRM ({', '.join(known)})", None, _among(known))
    name = _answer(name, "A short name for this connection", kind, _matching(_NAME, "letters, digits, - and _ only"))
    url = base_url or _default_url(kind)
    if base_url or kind in _GIVEN_URL:
        url = _answer(base_url, f"Address of your {kind} (https://...)", None, lambda text: url_fault(kind, text))
    if kind == "csv" and base_url:
        url = str(Path(base_url).resolve())
    zone = _answer(time_zone, "Time zone of your organisation", "Europe/Berlin", _is_zone)
    money = _answer(currency, "Currency of your reports", "EUR", _matching("[A-Za-z]{3}", "three letters such as EUR"))
    return Answers(kind, name, url, zone, money.upper())


Fault = Callable[[str], str | None]
"""What is wrong with an answer; None if nothing is."""


def _answer(given: str | None, question: str, default: str | None, fault: Fault) -> str:
    if given is not None:
        wrong = fault(given)
        if wrong:
            message = f"{given}: {wrong}"
            raise typer.BadParameter(message)
        return given
    answer = str(typer.prompt(question, default=default))
    while wrong := fault(answer):
        answer = str(typer.prompt(f"{answer}: {wrong}. {question}", default=default))
    return answer


def _among(known: list[str]) -> Fault:
    return lambda text: None if text in known else f"not one of {', '.join(known)}"


def _matching(pattern: str, advice: str) -> Fault:
    return lambda text: None if re.fullmatch(pattern, text) else advice


def _is_zone(text: str) -> str | None:
    return None if text in zoneinfo.available_timezones() else "not an IANA time zone such as Europe/Berlin"


def url_fault(kind: str, url: str) -> str | None:
    """What the settings of this kind say against an address; a folder is never wrong."""
    if kind == "csv":
        return None
    file = YamlFile(Path("answer.yaml"), "answer", {"kind": kind, "base_url": url})
    file.values[("base_url",)] = (1, 1)
    read_connection(file)
    said = [problem.text for problem in file.problems if problem.text.startswith("base_url")]
    return said[0].removeprefix("base_url").lstrip(": ") if said else None


def _default_url(kind: str) -> str:
    found = re.search(r"^(?:base_url|folder): (\S+)", connection_template(kind), flags=re.MULTILINE)
    return found[1] if found else ""


def connection_text(kind: str, url: str) -> str:
    """The connection file of a kind for an address; on loopback with the emulators' credentials."""
    text = re.sub(
        r"^(base_url|folder): \S+", lambda found: f"{found[1]}: {url}", connection_template(kind), flags=re.MULTILINE
    )
    if is_loopback(url):
        text = with_sandbox_secrets(text, url)
    return text


def _as_written(answers: Answers, place: Path) -> str:
    """The address as the file in ``place`` says it: a folder's path starts at that file, and not where we were started."""
    given = Path(answers.base_url)
    if answers.kind != "csv" or not given.is_absolute():
        return answers.base_url
    near = given.is_relative_to(place.resolve().parent.parent)
    path = os.path.relpath(given, place.resolve()) if near else str(given)
    return path if re.fullmatch(r"[\w./-]+", path) else json.dumps(path, ensure_ascii=False)


def write_new(folder: Path, answers: Answers) -> None:
    """Writes the folder; files that somebody wrote are left as they are and named."""
    text = connection_text(answers.kind, _as_written(answers, folder / "connections"))
    shipped = (DEFAULTS / "scoreback.yaml").read_text(encoding="utf-8")
    general = shipped.replace("Europe/Berlin", answers.time_zone)
    general = general.replace("currency: EUR", f"currency: {answers.currency}")
    wanted = {folder / "scoreback.yaml": general, folder / "connections" / f"{answers.name}.yaml": text}
    wanted |= {
        folder / "plans" / path.name: path.read_text(encoding="utf-8") for path in (DEFAULTS / "plans").glob("*.yaml")
    }
    wanted |= {folder / "schema" / f"{name}.json": schema_text(name) for name in SCHEMA_NAMES}
    for path, content in wanted.items():
        if path.exists() and path.read_text(encoding="utf-8") not in (shipped, content):  # nobody has edited those
            err.print(f"{path} exists: left as it is", markup=False)
            continue
        with writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        out.print(f"wrote {path}", markup=False)
    secrets = list(dict.fromkeys(re.findall(r"^[^#\n]*env:(\w+)", text, flags=re.MULTILINE)))
    first = f"Now set {' and '.join(secrets)} in the environment, then: " if secrets else "Now: "
    out.print(f"{first}scoreback check", markup=False)
