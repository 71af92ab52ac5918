"""Which CRMs can be emulated, and the connection file that reaches one. A package adds its own by an entry point."""

import inspect
import json
import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import ConfigError
from connectors.registry import connector_class

if TYPE_CHECKING:
    from connectors.sandbox.emulator import Emulator

GROUP = "scoreback.emulators"
_DEFAULTS = Path(__file__).parent.parent / "defaults" / "connections"
_BARE = "# yaml-language-server: $schema=../schema/connection.json\nkind: {kind}\nbase_url: https://crm.example.com\n"
_ORDER = ("salesforce", "hubspot", "zoho", "dynamics", "sap", "sap_v2", "fxiaoke")


def _found() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def emulated_kinds() -> list[str]:
    """Every kind that has an emulator: ours in their usual order, then those of other packages. Imports none."""
    found = _found()
    return [kind for kind in _ORDER if kind in found] + sorted(found.keys() - set(_ORDER))


def demo_kinds() -> list[str]:
    """One kind for each CRM: of SAP's two generations the older, which more companies have."""
    return [kind for kind in emulated_kinds() if kind in _ORDER and kind != "sap_v2"]


def emulator_class(kind: str) -> "type[Emulator]":
    """The emulator of a kind. Raises ConfigError for a kind without one."""
    entry = _found().get(kind)
    if entry is None:
        message = f"there is no emulator of {kind}; there are {', '.join(emulated_kinds())}"
        raise ConfigError(message)
    found: type[Emulator] = entry.load()
    return found


def connection_template(kind: str) -> str:
    """The commented connection file of a kind; a package keeps its own beside the connector's module, as ``KIND.yaml``."""
    ours = _DEFAULTS / f"{kind}.yaml"
    if ours.exists():
        return ours.read_text(encoding="utf-8")
    theirs = Path(inspect.getfile(connector_class(kind))).with_name(f"{kind}.yaml")
    return theirs.read_text(encoding="utf-8") if theirs.is_file() else _BARE.format(kind=kind)


def with_sandbox_secrets(text: str, url: str) -> str:
    """A connection file with the credentials that emulators take, and every sign-in at their address."""
    text = re.sub(r"^(\s+)host: \S+", rf"\1host: {url}", text, flags=re.MULTILINE)
    text = re.sub(r"(\w+): env:\w+", r"\1: sandbox", text)
    return re.sub(r" *# a reference to a secret:.*", "", text)  # which the word sandbox is not


def connection_file(kind: str, url: str, *, write_back: bool = True, company: bool = False) -> str:
    """The default connection file of a kind, pointed at an emulator; ``company`` maps what the simulated company has of its own."""
    text = with_sandbox_secrets(connection_template(kind), url)
    text = re.sub(r"^base_url:.*$", f"base_url: {url}", text, flags=re.MULTILINE)
    text = re.sub(r"^allowance:.*$", "allowance: {share: 1}", text, flags=re.MULTILINE)
    before, mark, after = text.partition("write_back:")
    if company:
        played = emulator_class(kind)
        objects = {record: {"object": name} for record, name in played.company_objects.items()}
        parts = {"streams": objects, "fields": played.company_fields}
        before += "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items() if value)
    return before + mark + after if write_back else before
