"""What connectors learnt of their CRM's set-up, kept from one process to the next until the metadata is due again.

Without it every `run --once` would ask a HubSpot account for its time zone and an organisation for its currency.
"""

import json
from datetime import UTC, datetime

from connectors.base import Connector
from sync.store.engine import Store, Tx
from sync.store.state import get_meta, set_meta


def recall(store: Store, connector: Connector) -> None:
    """Gives a connector that has just been opened what its predecessor learnt, unless that is too old."""
    if connector.learnt:
        return
    with store.reading() as tx:
        text = get_meta(tx, _key(connector))
    kept = json.loads(text) if text else None
    if kept and datetime.now(UTC) - datetime.fromisoformat(kept["at"]) < connector.connection.metadata_every:
        connector.learnt.update(kept["values"])


def keep(tx: Tx, connector: Connector) -> None:
    """Keeps what a connector knows now. What was known before keeps its age, so that it is asked again in time."""
    text = get_meta(tx, _key(connector))
    known = json.loads(text)["values"] if text else {}
    if connector.learnt and connector.learnt != known:
        kept = {"at": datetime.now(UTC).isoformat(), "values": connector.learnt}
        set_meta(tx, _key(connector), json.dumps(kept, sort_keys=True))


def _key(connector: Connector) -> str:
    return f"learnt:{connector.connection.name}"
