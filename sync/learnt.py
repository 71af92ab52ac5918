"""What connectors learnt of their CRM's set-up, kept from one process to the next until the metadata is due again.

Their places in the CRM's change feeds are kept for good.
Without it every `run --once` would ask a HubSpot account for its time zone and an organisation for its currency.
"""

import json
from datetime import UTC, datetime

from connectors.base import Connector
from sync.store.engine import Store, Tx
from sync.store.state import get_meta, set_meta


def recall(store: Store, connector: Connector) -> None:
    """Gives a connector what its predecessor learnt; what is too old is forgotten, also by one that has long been open."""
    with store.reading() as tx:
        places, kept, fresh = get_meta(tx, _places_key(connector)), get_meta(tx, _key(connector)), _known(tx, connector)
    for stream, place in json.loads(places or "{}").items():
        connector.places.setdefault(stream, place)  # in place: the connector's parts hold this very dictionary
    if kept and not fresh:
        connector.learnt.clear()
    for what, said in fresh.items():
        connector.learnt.setdefault(what, said)


def keep(tx: Tx, connector: Connector) -> None:
    """Keeps what a connector knows now. What was known before keeps its age, so that it is asked again in time."""
    if connector.learnt and connector.learnt != _known(tx, connector):
        kept = {"at": datetime.now(UTC).isoformat(), "values": connector.learnt}
        set_meta(tx, _key(connector), json.dumps(kept, sort_keys=True))
    _keep_places(tx, connector)


def _known(tx: Tx, connector: Connector) -> dict[str, str]:
    """What was kept, unless it is too old to be believed."""
    text = get_meta(tx, _key(connector))
    kept = json.loads(text) if text else None
    if kept is None or datetime.now(UTC) - datetime.fromisoformat(kept["at"]) >= connector.connection.metadata_every:
        return {}
    found: dict[str, str] = kept["values"]
    return found


def _keep_places(tx: Tx, connector: Connector) -> None:
    """A pull of some streams only leaves the places of the others as they are."""
    if connector.places:
        text = get_meta(tx, _places_key(connector))
        places = json.dumps({**json.loads(text or "{}"), **connector.places}, sort_keys=True)
        if places != text:
            set_meta(tx, _places_key(connector), places)


def _places_key(connector: Connector) -> str:
    return f"places:{connector.connection.name}"


def _key(connector: Connector) -> str:
    return f"learnt:{connector.connection.name}"
