"""GUIDs: how Dataverse spells them, and which one a world's own id becomes."""

import re
from hashlib import sha256

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def is_guid(text: object) -> bool:
    """Whether a text is a GUID without braces."""
    return isinstance(text, str) and _GUID.fullmatch(text) is not None


def guid(record: str, world_id: str) -> str:
    """The GUID of a world's record: its own id where that is one already, else always the same made-up one."""
    if is_guid(world_id):
        return world_id.lower()
    digest = sha256(f"dataverse/{record}/{world_id}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


class Ids:
    """Our ids by record and the world's own id; filled as they are asked for."""

    def __init__(self, known: dict[str, dict[str, str]]) -> None:
        self.known = known

    def of(self, record: str, world_id: str) -> str:
        """The GUID of a world's record, remembered."""
        held = self.known.setdefault(record, {})
        found = held.get(world_id)
        if found is None:
            found = held[world_id] = guid(record, world_id)
        return found
