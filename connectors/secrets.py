"""Secrets by reference: the configuration names where a secret is, never the secret itself."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from connectors.errors import ConfigError

ADVICE = "write env:NAME, file:/path or keyring:SERVICE/NAME instead of the secret itself"

_LARGEST = 65_536
"""Bytes of a secret's file: the longest secrets are private keys of some thousand."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD = re.compile(r"[^\s'\",:;/\\(){}\[\]<>=]{8,}")
_BEGINNINGS = re.compile(r"pat-(na|eu|ap)\d|3MVG9|eyJ|00D\w{12}!|1000\.[0-9a-f]{6}|gh[a-z]_|xox|sk-")
"""How tokens begin: HubSpot, Salesforce (consumer key, access token), JWT, Zoho, and what else ends up in clipboards."""
_RECORD_ID = re.compile(r"[a0][0-9A-Za-z]{14}([0-9A-Za-z]{3})?")
_TURNS = re.compile(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])")


def looks_secret(word: str) -> bool:
    """Whether a word might be a credential: begins like one, or turns from letters to digits more often than names do.

    A guess for texts of errors only, and one that would rather hide a name: the place in the file is told beside it.
    """
    if _BEGINNINGS.match(word):
        return True
    if len(word) < 16 or _RECORD_ID.fullmatch(word):
        return False
    return any(len(part) >= 8 and len(_TURNS.findall(part)) >= 3 for part in re.split(r"[-_.]", word))


def veiled(text: str) -> str:
    """The text with ``***`` for each word in it that looks like a credential."""
    return _WORD.sub(lambda match: _veiled_word(match[0]), text)


def _veiled_word(word: str) -> str:
    if _BEGINNINGS.match(word):
        return "***"
    # A place in a file is written key.key.key: only the keys that need it are hidden.
    return ".".join("***" if looks_secret(part) else part for part in word.split("."))


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
            return self._sound(os.environ.get(name) or "", f"the environment variable {veiled(name)} is not set")
        if scheme == "file":
            return self._sound(self._from_file(name), "the file is empty")
        return self._sound(self._from_keyring(name), "the keyring has no such entry")

    @property
    def shown(self) -> str:
        """The reference for texts. Somebody may have written the secret itself behind ``env:`` or ``file:``."""
        return veiled(self.reference)

    def _sound(self, value: str, otherwise: str) -> str:
        if not value:
            message = f"{self.shown}: {otherwise}"
            raise ConfigError(message)
        try:
            value.encode()
        except UnicodeEncodeError:  # bytes of the environment that are no UTF-8
            message = f"{self.shown}: is not UTF-8 text"
            raise ConfigError(message) from None
        return value

    def _from_file(self, name: str) -> str:
        try:
            with (self.folder / name).open("rb") as file:
                content = file.read(_LARGEST + 1)
            text = content.decode("utf-8-sig")  # editors of one system put a mark in front, which is none of the secret
        except UnicodeDecodeError:
            message = f"{self.shown}: is not UTF-8 text: save it as that, and without anything but the secret"
            raise ConfigError(message) from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is no path of a file"
            message = f"{self.shown}: {reason}"
            raise ConfigError(message) from None
        if len(content) > _LARGEST:
            message = f"{self.shown}: holds more than {_LARGEST} bytes: that is no secret"
            raise ConfigError(message)
        return text.strip()

    def _from_keyring(self, name: str) -> str:
        import keyring  # slow to import, and used by few
        from keyring.errors import KeyringError

        service, _, user = name.partition("/")
        try:
            return keyring.get_password(service, user) or ""
        except KeyringError as error:
            message = f"{self.shown}: the keyring does not answer ({type(error).__name__})"
            raise ConfigError(message) from None


def parse_secret(reference: str, folder: Path, *, sandbox_allowed: bool = False) -> Secret:
    """A checked reference. Raises ValueError with advice for a literal secret, which is never repeated."""
    scheme, separator, name = reference.partition(":")
    if scheme == "env" and separator:
        if not _VARIABLE.fullmatch(name):
            message = "what stands after env: must be the name of a variable: letters, digits and _, no digit first"
            raise ValueError(message)
        return Secret(reference, folder)
    if scheme == "file" and name:
        return Secret(reference, folder)
    if scheme == "keyring" and "/" in name:
        return Secret(reference, folder)
    if sandbox_allowed and reference == "sandbox":
        return Secret(reference, folder)
    message = f"a secret must not stand in the configuration: {ADVICE}"
    raise ValueError(message)
