"""Which associations a HubSpot stream's rows are read with, and which of them a row cannot do without."""

from collections.abc import Mapping, Sequence
from typing import cast

from connectors.base import Raw, Stream
from connectors.hubspot.api import Json
from connectors.hubspot.streams import LINKS, TOUCHED
from connectors.mapping import paths_of, remote_fields, sources
from connectors.settings import ConnectionSettings

_NEEDED = {"line_item": "opportunity_id", "contract": "account_id", "subscription": "account_id"}


def links_of(stream: Stream, connection: ConnectionSettings) -> Mapping[str, str]:
    """Associated objects with the path that each fills; of an object that the admin named only those that are mapped."""
    if connection.object_of(stream.name) is None:
        return LINKS.get(stream.name, {})
    mapped = remote_fields(stream, connection)
    return {target: path for target, path in TOUCHED.items() if path in mapped}


def needed_link(stream: Stream, connection: ConnectionSettings) -> str | None:
    """The path of the association without which a row is no record of ours (a line item of a quote); None if any is."""
    source = sources(stream, connection).get(_NEEDED.get(stream.name, ""))
    path = None if source is None else next(iter(paths_of(source)), None)
    return path if path in links_of(stream, connection).values() else None


def stand_in(raws: Sequence[Raw], link: str | None) -> None:
    """Gives rows of a search, which brings no associations, something in the place of a needed one: to be compared by."""
    for raw in raws:
        if link is not None:
            cast("Json", raw.fields)[link] = "0"


def put_away_unlinked(raws: Sequence[Raw], link: str | None) -> None:
    """Rows that turn out to lack a needed association are told as deleted, whatever they were before."""
    for raw in raws:
        if link is not None and raw.fields[link] is None:
            cast("Json", raw.fields)["archived"] = True
