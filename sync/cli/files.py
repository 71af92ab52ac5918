"""Files that a command writes: whole or not at all, and never over one of our own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from connectors.errors import ScorebackError
from sync.config import Config
from sync.store.engine import sqlite_path

_BESIDE_STORE = ("", "-wal", "-shm", "-journal", ".lock", ".turn")


class WriteError(ScorebackError):
    """A file could not be written; what stood there before still stands."""


@contextmanager
def replacing(path: Path, config: Config) -> Iterator[Path]:
    """A draft that takes the place of ``path`` when the block ends well; a device or pipe gets its bytes instead.

    Raises BadParameter where nothing can be written, or where it would be written over a file of ours; WriteError where
    writing fails on the way.
    """
    target = path.resolve()
    _refuse_ours(path, target, config)
    if target.exists() and not target.is_file() and not target.is_dir():
        with tempfile.TemporaryDirectory(prefix="scoreback-") as folder, writing_to(path):
            yield Path(folder) / target.name
            with (Path(folder) / target.name).open("rb") as draft, target.open("wb", buffering=0) as device:
                shutil.copyfileobj(draft, device)
        return
    draft_path = _draft(path, target)
    try:
        with writing_to(path):
            yield draft_path
            if target.exists():
                shutil.copymode(target, draft_path)
            draft_path.replace(target)
    finally:
        draft_path.unlink(missing_ok=True)


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turns what the system says about a file or folder that is written into a WriteError."""
    try:
        yield
    except OSError as error:
        message = f"{path}: cannot be written ({error.strerror or error}). Make room, or name another place; nothing else was changed"
        raise WriteError(message) from error


def _draft(path: Path, target: Path) -> Path:
    if target.is_dir():
        message = f"{path} is a folder: name a file in it"
        raise typer.BadParameter(message)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", dir=target.parent)
    except OSError as error:
        message = f"{path} cannot be written ({target.parent}: {error.strerror}): name another place"
        raise typer.BadParameter(message) from error
    os.close(handle)
    return Path(name)


def _refuse_ours(path: Path, target: Path, config: Config) -> None:
    ours = list(_own_files(config))
    same = target in ours or any(target.exists() and one.exists() and target.samefile(one) for one in ours)
    if same or config.folder.resolve() in target.parents:
        message = f"{path} is one of Scoreback's own files, or among its configuration: name another place"
        raise typer.BadParameter(message)


def _own_files(config: Config) -> Iterator[Path]:
    store = sqlite_path(config.store_url)
    if store is not None:
        yield from (store.resolve().with_name(store.name + end) for end in _BESIDE_STORE)
    key = config.settings.token_key(config.folder)
    scheme, _, name = key.reference.partition(":")
    if scheme == "file":
        yield (key.folder / name).resolve()
