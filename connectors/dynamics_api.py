"""The calls that the connector makes to the Dataverse Web API, with answers as plain dictionaries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.dynamics_multipart import BOUNDARY, Part, Said, compose, parse
from connectors.errors import ContractError, RejectedError
from connectors.http import Http

MAX_PAGE = 5000
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"

IN_URL = 400
"""Ids of one ``In`` filter in an address: about 43 characters each."""
IN_BATCH = 500
"""Ids of one ``In`` filter within a batch (the vendor's page: 500 at most)."""

_SAFE = "$,()'@:=/*"
_HEADERS = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0", "If-None-Match": "null"}

Page = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Description:
    """What the metadata say about a table's columns, by the name that JSON has for each."""

    columns: Mapping[str, Mapping[str, Any]]

    def has(self, path: str) -> bool:
        """Whether there is such a column; ``x@label`` is there where ``x`` is."""
        return path.partition("@")[0] in self.columns


def address(remote: str, **options: str) -> str:
    """A set with query options (``select``, ``filter``, ``orderby``), spelled as Dataverse reads them."""
    said = "&".join(f"${name}={quote(value, safe=_SAFE)}" for name, value in options.items() if value)
    return f"{remote}?{said}" if said else remote


def among(column: str, ids: Sequence[str]) -> str:
    """The condition that a column holds one of some ids."""
    values = ",".join(f"'{one}'" for one in ids)
    return f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues=[{values}])"


def both(*conditions: str) -> str:
    """Conditions that must all hold; empty ones are left out."""
    return " and ".join(f"({one})" if " or " in one else one for one in conditions if one)


class DynamicsApi:
    """One environment over our door."""

    def __init__(self, http: Http, version: str) -> None:
        self.http = http
        self.root = f"/api/data/v{version}/"
        self._descriptions: dict[str, Description | None] = {}

    def get(self, path: str, **headers: str) -> Any:
        """The JSON of a GET below the service root; a full address is taken as it is."""
        return self.http.get(self._path(path), headers={**_HEADERS, **headers})

    def page(self, path: str, *, labels: bool = False, track: bool = False) -> Page:
        """One page of rows. ``labels`` asks for what Dynamics shows, ``track`` for a delta link on the last page."""
        notes = f"{FORMATTED},{LOGICAL_NAME}" if labels else LOGICAL_NAME
        prefer = f'odata.maxpagesize={MAX_PAGE},odata.include-annotations="{notes}"'
        body = self.get(path, Prefer=f"odata.track-changes,{prefer}" if track else prefer)
        if not isinstance(body, dict) or not isinstance(body.get("value"), list):
            raise ContractError("a read was answered with something that is no page of rows", str(body))
        return body

    def pages(self, path: str, *, labels: bool = False) -> Iterator[list[dict[str, Any]]]:
        """Every page of rows."""
        link: str | None = path
        while link:
            answer = self.page(link, labels=labels)
            yield answer["value"]
            link = answer.get("@odata.nextLink")

    def rows(self, path: str, *, labels: bool = False) -> list[dict[str, Any]]:
        """Every row of a small read."""
        return [row for rows in self.pages(path, labels=labels) for row in rows]

    def optional_rows(self, path: str, *, labels: bool = False) -> list[dict[str, Any]]:
        """Every row; none where the table is not installed."""
        try:
            return self.rows(path, labels=labels)
        except RejectedError as error:
            if error.status == 404:
                return []
            raise

    def count(self, path: str) -> int | None:
        """How many rows there are; None from 5,000 on, where Dataverse stops counting."""
        answer = self.http.request("GET", self._path(path), headers={**_HEADERS, "Accept": "text/plain"})
        text = answer.content.decode("utf-8-sig").strip()
        if not text.isdigit():
            raise ContractError("a count was answered with something that is no number", text)
        return int(text) if int(text) < MAX_PAGE else None

    def batch(self, parts: Sequence[Part], **headers: str) -> list[Said]:
        """The answers to up to 1,000 requests, in their order, whether good or not."""
        sent = {
            "Content-Type": f'multipart/mixed; boundary="{BOUNDARY}"',
            "Prefer": "odata.continue-on-error",
            "OData-MaxVersion": "4.0",
            "OData-Version": "4.0",
            **headers,
        }
        answer = self.http.request("POST", f"{self.root}$batch", data=compose(parts), headers=sent)
        said = parse(answer.headers.get("Content-Type", ""), answer.content)
        if len(said) != len(parts):
            raise ContractError(f"{len(parts)} requests were sent, and {len(said)} answered", answer.text)
        return said

    def batch_rows(self, paths: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of several reads in one call; further pages, which are rare, in calls of their own."""
        prefer = {"Prefer": f'odata.maxpagesize={MAX_PAGE},odata.include-annotations="{LOGICAL_NAME}"'}
        found: list[dict[str, Any]] = []
        for said in self.batch([Part("GET", f"{self.root}{path}", headers=prefer) for path in paths]):
            if said.status != 200 or not isinstance(said.body, dict):
                raise said.failure()
            found += said.body["value"]
            if link := said.body.get("@odata.nextLink"):
                found += self.rows(link)
        return found

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON of a call that changes something; None for 204."""
        call = {"POST": self.http.post, "PATCH": self.http.patch, "DELETE": self.http.delete}[method]
        sent = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0", **headers}
        return (
            call(self._path(path), json=body, headers=sent)
            if body is not None
            else call(self._path(path), headers=sent)
        )

    def describe(self, table: str, *, fresh: bool = False) -> Description | None:
        """What metadata say of a table; None if it is not installed. Asked once unless ``fresh``."""
        if fresh or table not in self._descriptions:
            self._descriptions[table] = self._described(table, fresh=fresh)
        return self._descriptions[table]

    def _described(self, table: str, *, fresh: bool) -> Description | None:
        wanted = "LogicalName,SchemaName,AttributeType,ColumnNumber,IsValidForUpdate,IsSecured,DisplayName"
        path = f"EntityDefinitions(LogicalName='{table}')/Attributes"
        try:
            answer = self.get(address(path, select=wanted), **({"Consistency": "Strong"} if fresh else {}))
        except RejectedError as error:
            if error.status == 404:
                return None
            raise
        return Description({property_of(one): one for one in answer["value"]})

    def _path(self, path: str) -> str:
        return path if "://" in path or path.startswith("/") else f"{self.root}{path}"


def property_of(attribute: Mapping[str, Any]) -> str:
    """The name that JSON has for a column: lookups are read by ``_name_value``."""
    name = str(attribute["LogicalName"])
    return f"_{name}_value" if attribute.get("AttributeType") in ("Lookup", "Customer", "Owner") else name


def label_of(attribute: Mapping[str, Any]) -> str:
    """What a column is called in the language of our user."""
    shown = (attribute.get("DisplayName") or {}).get("UserLocalizedLabel") or {}
    return str(shown.get("Label") or attribute["LogicalName"])
