"""The calls that the connector makes to the Dataverse Web API, with answers as plain dictionaries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.dynamics.multipart import BOUNDARY, Part, Said, compose, parse
from connectors.dynamics.values import FORMATTED, LOGICAL_NAME
from connectors.errors import ContractError, RejectedError
from connectors.http import Http

MAX_PAGE = 5000
IDS_AT_ONCE = 400
"""Ids of one filter: as ``x eq id or ...`` they still fit an address, and a query takes 500 conditions."""

_NO_IN = "no_in"
"""Learnt: this environment does not know the function ``In``."""
_READS_IN_BATCH = 100
"""Reads in one batch: far below 1,000, for each may bring thousands of rows."""
_BATCH_TRIES = 2

_TABLE = "LogicalName,ChangeTrackingEnabled,IsAuditEnabled"
_COLUMN = "LogicalName,SchemaName,AttributeType,IsValidForUpdate,IsSecured,DisplayName"
_SAFE = "$,()'@:=/*"
_HEADERS = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0", "If-None-Match": "null"}

Page = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Description:
    """What the metadata say about a table, and about its columns by the name that JSON has for each."""

    columns: Mapping[str, Mapping[str, Any]]
    tracked: bool
    audited: bool

    def has(self, path: str) -> bool:
        """Whether there is such a column; ``x@label`` is there where ``x`` is."""
        return path.partition("@")[0] in self.columns


def address(remote: str, **options: str) -> str:
    """A set with query options (``select``, ``filter``, ``orderby``), spelled as Dataverse reads them."""
    said = "&".join(f"${name}={quote(value, safe=_SAFE)}" for name, value in options.items() if value)
    return f"{remote}?{said}" if said else remote


def both(*conditions: str) -> str:
    """Conditions that must all hold; empty ones are left out."""
    return " and ".join(f"({one})" if " or " in one else one for one in conditions if one)


class DynamicsApi:
    """One environment over our door. ``learnt`` keeps what it cannot do."""

    def __init__(self, http: Http, version: str, learnt: dict[str, str]) -> None:
        self.http = http
        self.root = f"/api/data/v{version}/"
        self._learnt = learnt
        self._descriptions: dict[str, Description | None] = {}

    def get(self, path: str, **headers: str) -> Any:
        """The JSON of a GET below the service root; a full address is taken as it is."""
        return self.http.get(self._path(path), headers={**_HEADERS, **headers})

    def page(self, path: str, *, labels: bool = False, track: bool = False, rows: int = MAX_PAGE) -> Page:
        """One page of rows. ``labels`` asks for what Dynamics shows, ``track`` for a delta link on the last page."""
        prefer = _prefer(rows, labels=labels)
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

    def batch(self, parts: Sequence[Part]) -> list[Said]:
        """The answers to up to 1,000 requests, in their order, whether good or not."""
        sent = {
            "Content-Type": f'multipart/mixed; boundary="{BOUNDARY}"',
            "Prefer": "odata.continue-on-error",
            "OData-MaxVersion": "4.0",
            "OData-Version": "4.0",
        }
        for _ in range(_BATCH_TRIES):  # each part may be done twice; a cut answer is no JSON that the door would notice
            answer = self.http.request("POST", f"{self.root}$batch", data=compose(parts), headers=sent)
            said = parse(answer.headers.get("Content-Type", ""), answer.content)
            if said is not None:
                break
        if said is None or len(said) != len(parts):
            found = len(said or ())
            raise ContractError(f"{len(parts)} requests were sent, and {found} answered", answer.text)
        return said

    def rows_by_ids(
        self, remote: str, select: str, column: str, ids: Sequence[str], *, where: str = "", labels: bool = False
    ) -> list[dict[str, Any]]:
        """Rows whose ``column``, as JSON spells it, holds one of some ids: one call for up to 40,000 ids.

        Where the environment refuses the function ``In``, the same is asked as ``x eq id or ...`` and remembered.
        """

        def ask(condition: Callable[[str, Sequence[str]], str]) -> list[dict[str, Any]]:
            portions = [ids[place : place + IDS_AT_ONCE] for place in range(0, len(ids), IDS_AT_ONCE)]
            filters = [both(where, condition(column, portion)) for portion in portions]
            paths = [address(remote, select=select, filter=one) for one in filters]
            return self.rows(paths[0], labels=labels) if len(paths) == 1 else self._batch_rows(paths, labels=labels)

        if _NO_IN not in self._learnt:
            try:
                return ask(_among)
            except RejectedError as error:
                if error.status != 400:
                    raise
        found = ask(_either)
        self._learnt[_NO_IN] = "yes"
        return found

    def _batch_rows(self, paths: Sequence[str], *, labels: bool) -> list[dict[str, Any]]:
        """The rows of several reads in one call per hundred; further pages in calls of their own."""
        prefer = {"Prefer": _prefer(MAX_PAGE, labels=labels)}
        found: list[dict[str, Any]] = []
        for place in range(0, len(paths), _READS_IN_BATCH):
            some = paths[place : place + _READS_IN_BATCH]
            for said in self.batch([Part("GET", f"{self.root}{path}", headers=prefer) for path in some]):
                if said.status != 200 or not isinstance(said.body, dict):
                    raise said.failure()
                found += said.body["value"]
                if link := said.body.get("@odata.nextLink"):
                    found += self.rows(link, labels=labels)
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
        path = address(
            f"EntityDefinitions(LogicalName='{table}')", select=_TABLE, expand=f"Attributes($select={_COLUMN})"
        )
        try:
            answer = self.get(path, **({"Consistency": "Strong"} if fresh else {}))
        except RejectedError as error:
            if error.status == 404:
                return None
            raise
        audited = (answer.get("IsAuditEnabled") or {}).get("Value") is True
        columns = {property_of(one): one for one in answer["Attributes"]}
        return Description(columns, tracked=answer.get("ChangeTrackingEnabled") is True, audited=audited)

    def table_of(self, entity_set: str) -> tuple[str, str] | None:
        """Logical name and primary key of the table with this entity set; None for no such table."""
        named = entity_set.replace("'", "''")
        path = address(
            "EntityDefinitions", select="LogicalName,PrimaryIdAttribute", filter=f"EntitySetName eq '{named}'"
        )
        for found in self.get(path)["value"]:
            return str(found["LogicalName"]), str(found["PrimaryIdAttribute"])
        return None

    def day_columns(self, table: str) -> list[str]:
        """Columns of a table that show a day without a time, in whatever way they keep it."""
        cast = "Attributes/Microsoft.Dynamics.CRM.DateTimeAttributeMetadata"
        path = address(f"EntityDefinitions(LogicalName='{table}')/{cast}", select="LogicalName,Format")
        return [str(one["LogicalName"]) for one in self.get(path)["value"] if one.get("Format") == "DateOnly"]

    def _path(self, path: str) -> str:
        return path if "://" in path or path.startswith("/") else f"{self.root}{path}"


def _prefer(rows: int, *, labels: bool) -> str:
    notes = [LOGICAL_NAME, FORMATTED] if labels else [LOGICAL_NAME]
    return f'odata.maxpagesize={rows},odata.include-annotations="{",".join(one.removeprefix("@") for one in notes)}"'


def _among(column: str, ids: Sequence[str]) -> str:
    """``In`` takes the logical name of a lookup: by ``_x_value`` it finds no attribute."""
    values = ",".join(f"'{one}'" for one in ids)
    return f"Microsoft.Dynamics.CRM.In(PropertyName='{logical_name(column)}',PropertyValues=[{values}])"


def _either(column: str, ids: Sequence[str]) -> str:
    return " or ".join(f"{column} eq {one}" for one in ids)


def logical_name(column: str) -> str:
    """The logical name of a column that JSON spells so: ``ownerid`` for ``_ownerid_value``."""
    return column[1:-6] if column.startswith("_") and column.endswith("_value") else column


def property_of(attribute: Mapping[str, Any]) -> str:
    """The name that JSON has for a column: lookups are read by ``_name_value``."""
    name = str(attribute["LogicalName"])
    return f"_{name}_value" if attribute.get("AttributeType") in ("Lookup", "Customer", "Owner") else name


def label_of(attribute: Mapping[str, Any]) -> str:
    """What a column is called in the language of our user."""
    shown = (attribute.get("DisplayName") or {}).get("UserLocalizedLabel") or {}
    return str(shown.get("Label") or attribute["LogicalName"])
