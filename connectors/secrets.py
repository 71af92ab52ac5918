"""Secrets by reference: the configuration names where a secret is, never the secret itself."""

import os
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import ConfigError

ADVICE = "write env:NAME, file:/path or keyring:SERVICE/NAME instead of the secret itself"


@dataclass(frozen=True, slots=True)
class Secret:
    """A reference such as ``env:SF_SECRET``, resolved only at the moment of use. Its ``repr`` never shows the value."""

    reference: str
    folder: Path = Path()
    """Folder of the file that names the reference: relative ``file:`` paths start there."""

    def reveal(self) -> str:
        """The secret. Raises ConfigError that names the reference, never the value."""
        scheme, _, name = self.reference.partition(":")
        if self.reference == "sandbox":
            return "sandbox"  # settings.py lets this word pass for emulators on loopback only
        if scheme == "env":
            value = os.environ.get(name)
            if not value:
                message = f"{self.reference}: the environment variable {name} is not set"
                raise ConfigError(message)
            return value
        if scheme == "file":
            try:
                return (self.folder / name).read_text(encoding="utf-8").strip()
            except OSError as error:
                message = f"{self.reference}: {error.strerror}"
                raise ConfigError(message) from None
        return self._from_keyring(name)

    def _from_keyring(self, name: str) -> str:
        import keyring  # slow to import, and used by few
        from keyring.errors import KeyringError

        service, _, user = name.partition("/")
        try:
            value = keyring.get_password(service, user)
        except KeyringError as error:
            message = f"{self.reference}: the keyring does not answer ({type(error).__name__})"
            raise ConfigError(message) from None
        if not value:
            message = f"{self.reference}: the keyring has no such entry"
            raise ConfigError(message)
        return value


def parse_secret(reference: str, folder: Path, *, sandbox_allowed: bool = False) -> Secret:
    """A checked reference. Raises ValueError with advice for a literal secret, which is never repeated."""
    scheme, separator, name = reference.partition(":")
    if separator and name and scheme in ("env", "file"):
        return Secret(reference, folder)
    if scheme == "keyring" and "/" in name:
        return Secret(reference, folder)
    if sandbox_allowed and reference == "sandbox":
        return Secret(reference, folder)
    message = f"a secret must not stand in the configuration: {ADVICE}"
    raise ValueError(message)
