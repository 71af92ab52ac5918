"""Our calls to HubSpot, each in one place: hubspot-api-client's generated functions, carried by our own HTTP door.

The client knows numbered paths, has its own pool per object, no limiter and no timeouts; so its transport is replaced,
its objects are held, and its models are passed by (``_preload_content=False``): they drop what they do not know.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from connectors.answers import write_json
from connectors.errors import ContractError, RejectedError
from connectors.http import Http
from connectors.hubspot.paths import versioned
from connectors.limiter import Bucket
from connectors.vendor import rest_client

Json = dict[str, Any]
Item = TypeVar("Item")

LIST_LIMIT = 100
HISTORY_LIMIT = 50
SEARCH_LIMIT = 200
ASSOCIATION_LIMIT = 1000
OWNER_LIMIT = 500
LONGEST_QUERY = 6000
"""Characters of property names in a URL; HubSpot's edge answers 414 from 8,000 to 16,000 characters on."""


def _bucket(path: str) -> Bucket:
    return "search" if path.endswith("/search") else "general"


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """``items`` in slices of up to ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


class HubSpotApi:
    """One account's calls, in the paths of ``version``. Errors are those of the door; thread-safe like the door."""

    def __init__(self, door: Http, version: str) -> None:
        self._door = door
        self._version = version
        self._host = door.connection.base_url
        self._owner_limit = OWNER_LIMIT

    def _client(self, package: Any, api: str) -> Any:
        client = package.ApiClient(configuration=package.Configuration(host=self._host))
        client.rest_client = rest_client(self._door, partial(versioned, version=self._version), _bucket)
        return getattr(package, api)(api_client=client)

    @cached_property
    def _objects(self) -> Any:
        import hubspot.crm.objects as package  # each package costs 20 to 150 ms

        return self._client(package, "BasicApi")

    @cached_property
    def _batch(self) -> Any:
        import hubspot.crm.objects as package

        return self._client(package, "BatchApi")

    @cached_property
    def _search(self) -> Any:
        import hubspot.crm.objects as package

        return self._client(package, "SearchApi")

    @cached_property
    def _owners(self) -> Any:
        import hubspot.crm.owners as package

        return self._client(package, "OwnersApi")

    @cached_property
    def _pipelines(self) -> Any:
        import hubspot.crm.pipelines as package

        return self._client(package, "PipelinesApi")

    @cached_property
    def _associations(self) -> Any:
        import hubspot.crm.associations.v4 as package

        return self._client(package, "BatchApi")

    @cached_property
    def _properties(self) -> Any:
        import hubspot.crm.properties as package

        return self._client(package, "CoreApi")

    def _read(self, call: Callable[..., Any], *args: Any, **query: Any) -> Json:
        answer = call(*args, **query, _preload_content=False)
        body = answer.json()
        if not isinstance(body, dict):
            raise ContractError("HubSpot answered with something else than an object", str(body))
        return body

    def page(self, object_type: str, properties: Sequence[str], *, limit: int = LIST_LIMIT, **query: Any) -> Json:
        """One page of the list endpoint. ``query``: after, associations, properties_with_history, archived="true"."""
        given = {name: value for name, value in query.items() if value}
        lists = {"properties": properties, **{name: given.pop(name) for name in list(given) if _is_list(given[name])}}
        joined = {name: [",".join(values)] for name, values in lists.items() if values}
        if sum(len(text[0]) for text in joined.values()) > LONGEST_QUERY:
            raise ContractError(
                f"{object_type}: {len(properties)} mapped properties do not fit into one URL: map fewer of them"
            )
        return self._read(self._objects.get_page, object_type, limit=limit, **given, **joined)

    def pages(self, object_type: str, properties: Sequence[str], **query: Any) -> Iterator[Json]:
        """All pages of the list endpoint, behind ``after`` if given."""
        while True:
            page = self.page(object_type, properties, **query)
            yield page
            after = next_after(page)
            if after is None:
                return
            query["after"] = after

    def search(
        self, object_type: str, filters: Sequence[Json], sort: tuple[str, str], properties: Sequence[str]
    ) -> Json:
        """The first up to 200 of the rows that pass all ``filters``, with ``total``. Never pages by offset."""
        body = {
            "filterGroups": [{"filters": list(filters)}],
            "sorts": [{"propertyName": sort[0], "direction": sort[1]}],
            "properties": list(properties),
            "limit": SEARCH_LIMIT,
        }
        return self._read(self._search.do_search, object_type, body)

    def read(self, object_type: str, ids: Sequence[str], **wanted: Any) -> Iterator[Json]:
        """Rows by id, in no order; unknown ids are left out. ``wanted``: properties, history, idProperty."""
        history = wanted.get("history", ())
        body = {"properties": list(wanted.get("properties", ())), "propertiesWithHistory": list(history)}
        if "id_property" in wanted:
            body["idProperty"] = wanted["id_property"]
        for part in chunks(ids, HISTORY_LIMIT if history else LIST_LIMIT):
            inputs = [{"id": remote_id} for remote_id in part]
            yield from self._read(self._batch.read, object_type, {"inputs": inputs, **body})["results"]

    def update(self, object_type: str, inputs: Sequence[Json]) -> Json:
        """One batch update of up to 100 rows: the answer with ``results`` and, on 207, ``errors``.

        The body goes as bytes: the client would copy every value of it.
        """
        return self._read(self._batch.update, object_type, write_json({"inputs": inputs}))

    def upsert(self, object_type: str, inputs: Sequence[Json]) -> Json:
        """One batch upsert by a unique property, answered like ``update``."""
        return self._read(self._batch.upsert, object_type, write_json({"inputs": inputs}))

    def associations(self, source: str, target: str, ids: Sequence[str]) -> dict[str, list[Json]]:
        """What each of ``ids`` is associated with, complete: a row without associations is left out."""
        found: dict[str, list[Json]] = {}
        waiting: list[Json] = [{"id": remote_id} for remote_id in ids]
        while waiting:
            inputs, waiting = waiting[:ASSOCIATION_LIMIT], waiting[ASSOCIATION_LIMIT:]
            body = self._read(self._associations.get_page, source, target, {"inputs": inputs})
            for row in body["results"]:
                remote_id = str(row["from"]["id"])
                found.setdefault(remote_id, []).extend(row["to"])
                after = next_after(row)
                if after is not None:
                    waiting.append({"id": remote_id, "after": after})
        return found

    def splits(self, deals: Sequence[str]) -> dict[str, list[Json]]:
        """The splits of up to 100 deals, by deal; a deal that is not there is left out."""
        body = self.post("/crm/v3/objects/deals/splits/batch/read", {"inputs": [{"id": deal} for deal in deals]})
        return {str(row["id"]): row.get("splits") or [] for row in body["results"]}

    def owners(self, *, archived: bool = False) -> Iterator[Json]:
        """Every owner that is active, or every one that has left."""
        query: Json = {"archived": "true"} if archived else {}
        while True:
            try:
                page = self._read(self._owners.get_page, limit=self._owner_limit, **query)
            except RejectedError:
                if self._owner_limit == LIST_LIMIT:
                    raise
                self._owner_limit = LIST_LIMIT  # 500 is what the endpoint takes today; the documented page is 100
                continue
            yield from page["results"]
            query["after"] = next_after(page)
            if query["after"] is None:
                return

    def pipelines(self, object_type: str) -> list[Json]:
        """Pipelines with their stages; archived ones are not told."""
        return list(self._read(self._pipelines.get_all, object_type)["results"])

    def properties(self, object_type: str, *, archived: bool = False) -> dict[str, Json]:
        """Definitions of an object's properties by name."""
        query = {"archived": "true"} if archived else {}
        return {str(row["name"]): row for row in self._read(self._properties.get_all, object_type, **query)["results"]}

    def get(self, path: str, **params: Any) -> Json:
        """A numbered path that the client has no function for."""
        return dict(self._door.get(versioned(path, self._version), params=params) or {})

    def post(self, path: str, body: Json) -> Json:
        """A POST to a numbered path that the client has no function or no complete model for."""
        return dict(self._door.post(versioned(path, self._version), json=body) or {})

    def create(self, path: str, body: Json) -> Json:
        """A POST that makes something, to a numbered path: sent once, for a second one would be refused as a duplicate.

        RetryLaterError if its answer is lost: what was made is there, and the next provisioning finds it.
        """
        return dict(self._door.post(versioned(path, self._version), json=body, once=True) or {})


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def next_after(page: Mapping[str, Any]) -> str | None:
    """Where the next page begins; None behind the last."""
    after = ((page.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)
