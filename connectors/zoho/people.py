"""Users, whom no query reads; and what comes with the metadata: stages of pipelines, and rates."""

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.base import Page, Raw, Stream, Window
from connectors.errors import MissingFieldsError
from connectors.mapping import remote_fields
from connectors.records import OPEN_END
from connectors.zoho.api import ZohoApi
from connectors.zoho.settings import ZohoSettings
from connectors.zoho.values import inverse, ref, stage_outcome

ALWAYS = "1970-01-01"
"""Day from which a rate holds: Zoho tells today's only, and applies it to every amount that it converts."""

_NOBODY = ("Client Portal", "Support", "System")
"""Beginnings of the types of users that are no staff of the org."""


def people(api: ZohoApi, connection: ZohoSettings, stream: Stream, window: Window) -> Iterator[Page]:
    """Users changed in the window; a full pull brings those who were deleted too, for old deals point to them."""
    hidden = hidden_fields(api, connection, stream) if window.start is None else []
    if hidden:
        raise MissingFieldsError(
            f"{connection.name}: fields.person: Users has no {' and no '.join(hidden)}, or the profile of our user hides "
            f"it. Correct the API name in connections/{connection.name}.yaml. Nothing of person was changed"
        )
    for users in api.users("AllUsers", window.start):
        yield _page(connection, stream, users)
    if window.start is None:
        yield from deleted_people(api, connection, stream)


def deleted_people(api: ZohoApi, connection: ZohoSettings, stream: Stream) -> Iterator[Page]:
    """Users who were deleted: their deals still name them, so they stay, as people who are not active."""
    for users in api.users("DeletedUsers"):
        yield _page(connection, stream, users)


def hidden_fields(api: ZohoApi, connection: ZohoSettings, stream: Stream) -> list[str]:
    """Fields of users that the connection's own mapping names, and that are not there."""
    ours = {source if isinstance(source, str) else source.path for source in stream.fields.values()}
    mapped = [path.partition(".")[0] for path in remote_fields(stream, connection) if path not in ours]
    there = api.fields("Users", fresh=True) if mapped else {}
    return [name for name in dict.fromkeys(mapped) if name not in there]


def _page(connection: ZohoSettings, stream: Stream, users: list[dict[str, Any]]) -> Page:
    wrapped = [path for path in remote_fields(stream, connection) if path.endswith(".id")]
    rows = [user for user in users if not str(user.get("type__s") or "").startswith(_NOBODY)]
    for row in rows:
        row.update({path: ref(row.get(path.removesuffix(".id"))) for path in wrapped})
    # A mapped field that has vanished since is not sent as null: it is left out.
    tops = {path.partition(".")[0] for path in remote_fields(stream, connection) if not path.startswith("@")}
    ours = {source if isinstance(source, str) else source.path for source in stream.fields.values()}
    mapped = tops - {path.partition(".")[0] for path in ours}
    lacks = frozenset(name for name in mapped if rows and all(name not in row for row in rows))
    return Page([Raw(stream, row) for row in rows], lacks=lacks)


def stages(api: ZohoApi, stream: Stream) -> Iterator[Page]:
    """Every stage of every pipeline once, whichever layouts share it."""
    found: dict[str, dict[str, Any]] = {}
    for layout, pipeline in api.pipelines():
        name = pipeline["actual_value"] if _names_pipelines(layout) else None
        for stage in pipeline.get("maps", ()):
            key = f"{pipeline['id']}:{stage['id']}" if name else str(stage["id"])
            found[key] = {**stage, "@id": key, "@pipeline": name, "@outcome": stage_outcome(stage)}
    yield Page([Raw(stream, row) for row in found.values()])


def _names_pipelines(layout: Mapping[str, Any]) -> bool:
    """Whether deals of a layout say which pipeline they are in: editions with one pipeline have no such field."""
    sections = layout.get("sections") or ()
    names = {field.get("api_name") for section in sections for field in section.get("fields") or ()}
    return not names or "Pipeline" in names


def rates(api: ZohoApi, stream: Stream) -> Iterator[Page]:
    """Today's rate of each currency against the base currency; none in an org with one currency."""
    currencies = api.currencies()
    base = next((one["iso_code"] for one in currencies if one.get("is_base")), None)
    rows = [
        {
            **one, "@to": base, "@rate": inverse(one["exchange_rate"]), "@on": ALWAYS, "@until": OPEN_END.isoformat(),
        }
        for one in currencies
        if base and not one.get("is_base")
    ]  # fmt: skip
    yield Page([Raw(stream, row) for row in rows])
