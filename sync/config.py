"""Configuration: from a folder of YAML to settings, or to every problem at once with file, line and column."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connectors.addresses import is_loopback
from connectors.errors import ConfigError
from connectors.settings import ConnectionSettings
from scoring.plan import Plan
from sync import config_checks
from sync.config_errors import explain, nearest, without_mistakes
from sync.settings import ScorebackSettings
from sync.yaml_file import LARGEST, Problem, YamlFile, read_yaml

Model = TypeVar("Model", bound=BaseModel)

SAMPLE = ".sample.yaml"
"""End of the names of files that show what could be written; they are not read."""

_UNREADABLE = "this user may not read the folder: give it to the user who runs scoreback"

_TOP = ("scoreback.yaml", "people.yaml")
"""Files of the folder itself."""

_ROUNDS = 4
"""How often a file is looked at again without its mistakes: rules about several keys speak only when each key is well."""


class ConfigProblemsError(ConfigError):
    """Everything that is wrong with a configuration folder."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration folder that holds together."""

    folder: Path
    settings: ScorebackSettings
    connections: dict[str, ConnectionSettings]
    plans: tuple[Plan, ...]
    people: dict[str, str] = field(default_factory=dict)
    """Matched people of ``people.yaml``: "connection:remote_id" to the name of the person."""

    @property
    def store_url(self) -> str:
        """Where the store is."""
        return self.settings.store_url(self.folder)


def load_config(folder: Path) -> Config:
    """Reads ``folder``. Raises ConfigProblemsError with all findings of all files, never only the first."""
    if not folder.is_dir():
        message = (
            f"{folder}: there is no configuration folder. Run `scoreback init`, or name one with -c or SCOREBACK_CONFIG"
        )
        raise ConfigError(message)
    if not _is_readable(folder):
        message = f"{folder}: {_UNREADABLE}"
        raise ConfigError(message)
    if _is_of_others(folder):
        message = (
            f"{folder}: holds nothing of ours. Run `scoreback init`, or name the folder of the configuration with -c"
        )
        raise ConfigError(message)
    loader = _Loader(folder)
    loader.misnamed()
    settings = loader.settings()
    connections = loader.connections()
    plans = loader.plans()
    people = loader.people()
    loader.across(plans)
    if loader.problems:
        raise ConfigProblemsError(loader.problems)
    return Config(folder, settings, connections, tuple(plans), people)


class _Loader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[YamlFile] = []
        self.unread: list[Problem] = []

    @property
    def problems(self) -> list[Problem]:
        return [*self.unread, *(problem for file in self.files for problem in file.problems)]

    def read(self, path: Path, *, largest: int = LARGEST) -> YamlFile:
        file = read_yaml(path, shown(path), largest=largest)
        if not file.problems and not isinstance(file.data, dict):
            file.problem((), "the file must be a map of keys to values")
        self.files.append(file)
        return file

    def named(self, folder: str) -> list[Path]:
        """Files of a folder that are to be read."""
        place = self.folder / folder
        if place.is_dir() and not _is_readable(place):  # it would look like one without files
            self.unread.append(Problem(shown(place), 1, 1, _UNREADABLE))
        return [path for path in _yaml_files(self.folder / folder) if path.suffix == ".yaml"]

    def misnamed(self) -> None:
        """A finding for each file that only looks as if it were read."""
        for path in _yaml_files(self.folder):
            name = f"{path.stem.lower()}.yaml"
            if name in _TOP and path.name != name:
                self.unread.append(Problem(shown(path), 1, 1, f"is not read: name it {name}"))
        for path in (*_yaml_files(self.folder / "connections"), *_yaml_files(self.folder / "plans")):
            if path.suffix != ".yaml":
                self.unread.append(Problem(shown(path), 1, 1, f"is not read: name it {path.stem}.yaml"))

    def settings(self) -> ScorebackSettings:
        path = self.folder / "scoreback.yaml"
        return (validated(self.read(path), ScorebackSettings) if path.exists() else None) or ScorebackSettings()

    def connections(self) -> dict[str, ConnectionSettings]:
        found: dict[str, ConnectionSettings] = {}
        for path in self.named("connections"):
            file = self.read(path)
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", path.stem):
                file.problem(
                    (), f"{path.stem} names a connection: use letters, digits, - and _ only in the file's name"
                )
            settings = read_connection(file)
            if settings is not None:
                found[path.stem] = settings.named(path.stem)
        return found

    def plans(self) -> list[Plan]:
        plans = []
        for path in self.named("plans"):
            file = self.read(path)
            if isinstance(file.data, dict):
                config_checks.check_plan(file)
            plan = validated(file, Plan)
            if plan is not None:
                plans.append(plan)
        return plans

    def people(self) -> dict[str, str]:
        path = self.folder / "people.yaml"
        if not path.exists():
            return {}
        file = self.read(path, largest=4 * LARGEST)  # a line for each person of a large firm
        return config_checks.people_map(file, self._connection_names())

    def across(self, plans: list[Plan]) -> None:
        """What no file can tell by itself."""
        names = self._connection_names()
        where = ("mirrors", "primary")
        for file in self.files:
            primary = file.at(where) if file.path == self.folder / "scoreback.yaml" else None
            if isinstance(primary, str) and primary not in names:
                file.problem(
                    where, f"mirrors.primary: {primary} is not one of our connections.{nearest(primary, names)}"
                )
        config_checks.check_versions(plans, self.files)
        config_checks.check_overlaps(plans, self.files)

    def _connection_names(self) -> list[str]:
        return [path.stem for path in self.named("connections")]


def _is_of_others(folder: Path) -> bool:
    """Whether there is something in a folder and none of it looks ours: the store would be made beside it."""
    ours = [*_yaml_files(folder), *(folder / name for name in ("connections", "plans", "schema"))]
    return any(folder.iterdir()) and not any(path.exists() for path in ours)


def _yaml_files(folder: Path) -> list[Path]:
    """What ends like YAML in any spelling, samples left out."""
    found = folder.iterdir() if folder.is_dir() and _is_readable(folder) else ()
    paths = [path for path in found if path.suffix.lower() in (".yaml", ".yml")]
    return sorted(path for path in paths if not path.name.lower().endswith(SAMPLE))


def read_connection(file: YamlFile) -> ConnectionSettings | None:
    """The settings of a connection file that was read; None, with findings in ``file``, where something is wrong."""
    model = config_checks.connection_model(file) if isinstance(file.data, dict) else None
    if model is None:
        return None
    model.check(file)
    return validated(file, model.settings)


def validated(file: YamlFile, model: type[Model]) -> Model | None:
    """The file as settings; None, with findings in ``file``, where something is wrong."""
    if not isinstance(file.data, dict):
        return None
    context = {"folder": file.path.parent, "loopback": is_loopback(str(file.data.get("base_url", "")))}
    data: Any = file.data
    for _ in range(_ROUNDS):
        try:
            result = model.model_validate(data, context=context)
        except ValidationError as error:
            explain(error, model, file)
            before, data = data, without_mistakes(data, error, file)
            if data is before:
                return None
        else:
            return None if file.problems else result
    return None


def _is_readable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def shown(path: Path) -> str:
    """The path as a person at the working directory would write it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
