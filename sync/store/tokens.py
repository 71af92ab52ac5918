"""What CRMs issue to us, kept encrypted. The key is the admin's secret, or a file that only we can read."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import structlog
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, select

from connectors.errors import ConfigError
from connectors.secrets import Secret
from connectors.tokens import TokenUnreadableError
from sync.store.books import Token
from sync.store.engine import Store
from sync.store.state import book, upsert

log = structlog.get_logger(__name__)


def ensure_key_file(path: Path) -> None:
    """Makes a key file, 0600, unless there is one. Two processes that start at once agree on the first one's key."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)  # of a process that was killed, or a link that somebody put there to get the key
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(handle, Fernet.generate_key())
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)  # unlike a rename it never replaces a key that is in use
    except FileExistsError:
        pass
    finally:
        draft.unlink()


class Tokens:
    """Tokens by connection: ``load`` and ``save`` as ``connectors.auth`` asks of a token store."""

    def __init__(self, store: Store, key: Secret) -> None:
        self._store = store
        self._key = key

    def load(self, name: str) -> dict[str, Any] | None:
        """What was saved under a name. Raises TokenUnreadableError where the key is not the one it was saved with."""
        table = book(Token)
        with self._store.reading() as tx:
            ciphertext = tx.db.execute(select(table.c.ciphertext).where(table.c.connection == name)).scalar()
        if ciphertext is None:
            return None
        try:
            return dict(json.loads(self._fernet().decrypt(ciphertext.encode("ascii"))))
        except InvalidToken:
            message = (
                f"{self._key.shown}: the tokens of {name} were stored under another key: "
                "bring that one back if there is a copy of it (store.token_key)"
            )
            raise TokenUnreadableError(message) from None

    def save(self, name: str, token: dict[str, Any]) -> None:
        """Keeps a token, and returns when it is on the disk: a rotated refresh token that is lost locks us out."""
        ciphertext = self._fernet().encrypt(json.dumps(token).encode("utf-8")).decode("ascii")
        with self._store.writing(durable=True) as tx:
            upsert(tx, Token, {"connection": name, "ciphertext": ciphertext})

    def forget(self, name: str) -> None:
        """Drops a token."""
        table = book(Token)
        with self._store.writing(durable=True) as tx:
            tx.db.execute(delete(table).where(table.c.connection == name))

    def _fernet(self) -> Fernet:
        try:
            return Fernet(self._key.reveal().encode("ascii"))
        except ValueError:
            message = f"{self._key.shown}: must be a Fernet key, 32 random bytes in URL-safe base64"
            raise ConfigError(message) from None


def default_key(store: Store, folder: Path) -> Secret:
    """The key beside the store: ``token.key`` next to a SQLite file, else in ``folder`` (the configuration's)."""
    path = (store.path.parent if store.path is not None else folder) / "token.key"
    return open_key(Secret(f"file:{path.resolve()}"))


def open_key(key: Secret) -> Secret:
    """The key that the configuration names; a file that is not there yet is made, one that others may read is shut.

    Raises ConfigError where that cannot be done.
    """
    scheme, _, name = key.reference.partition(":")
    if scheme != "file":
        return key
    path = key.folder / name
    try:
        ensure_key_file(path)
        _shut(path)
    except OSError as error:
        message = f"{key.shown}: {error.strerror}: scoreback needs a key file that only its own user may read"
        raise ConfigError(message) from None
    return key


def _shut(path: Path) -> None:
    """Takes the key's file from everybody but us: who reads it and the store can sign in as we do."""
    mode = path.stat().st_mode & 0o777
    if not mode & 0o077 or not path.is_file():
        return
    try:
        path.chmod(mode & 0o700)
    except OSError as error:
        if error.errno == errno.EROFS:  # a secret that a container was given: who else sees it is not ours to say
            return
        message = f"{path}: others may read this key (mode {mode:04o}). Take that right from them: chmod 600"
        raise ConfigError(message) from None
    log.warning("token_key_shut", file=str(path), mode=f"{mode:04o}", advice="others could read it until now")
