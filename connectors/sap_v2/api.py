"""The calls that the connector makes to a tenant's REST services: pages by id, counts, single records, changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.answers import Answer, write_json
from connectors.errors import ContractError, RejectedError
from connectors.http import Http
from connectors.sap_v2.values import Row, text_literal

BASE = "/sap/c4c/api/v1"
MOST = 999
"""Rows of a page; 1,000 are refused."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One page, and how many rows the filter has in all."""

    rows: list[Row]
    count: int | None

    @property
    def more(self) -> bool:
        """Whether other rows may pass the filter. Without a count only an empty page says no: a service may cut pages."""
        return bool(self.rows) and (self.count is None or self.count > len(self.rows))


class SapV2Api:
    """One tenant's services. Errors are those of the door."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def page(self, path: str, options: Mapping[str, str]) -> Rows:
        """One page of a collection. A body without ``value`` is an error, never no rows."""
        query = "&".join(
            f"{name}={quote(value, safe='$,():')}" for name, value in {"$count": "true", **options}.items()
        )
        body = self._http.get(f"{BASE}/{path}?{query}")
        rows = body.get("value") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise ContractError(f"{path} was answered with something that is no page of rows", str(body))
        count = body.get("count", body.get("@odata.count"))
        return Rows(rows, None if count is None else int(count))

    def after(self, path: str, last: str, options: Mapping[str, str], where: str = "") -> Rows:
        """The page behind an id, in the order of the ids: $skip would end at 10,000."""
        beyond = f"id gt {text_literal(last)}" if last else ""
        conditions = " and ".join(part for part in (where, beyond) if part)
        asked = {"$top": str(MOST), "$orderby": "id", **options}
        page = self.page(path, {**asked, "$filter": conditions} if conditions else asked)
        ids = [str(row["id"]) for row in page.rows]
        if ids and (ids[0] <= last or ids != sorted(ids)):  # it would not end, or skip what it did not sort
            raise ContractError(f"{path}: ids above {last} come from {ids[0]} to {ids[-1]}: not in the order asked for")
        return page

    def by_id(self, path: str, options: Mapping[str, str]) -> Iterator[Rows]:
        """Every page."""
        page = self.after(path, "", options)
        yield page
        while page.more:
            page = self.after(path, str(page.rows[-1]["id"]), options)
            yield page

    def count(self, path: str) -> int | None:
        """How many rows a collection has; None where it does not tell."""
        return self.page(path, {"$top": "1", "$select": "id"}).count

    def read(self, path: str, key: str) -> tuple[Row, str] | None:
        """One record with its ETag; None if it is not there."""
        try:
            answer = self._http.request("GET", f"{BASE}/{path}/{key}", json_only=True)
        except RejectedError as error:
            if error.status == 404:
                return None
            raise
        row = _value(answer)
        if row is None or row.get("id") != key:
            raise ContractError(f"{path}: {key} was asked for, and another record came", str(row))
        return row, answer.headers.get("ETag", "")

    def change(self, path: str, key: str, tag: str, body: Mapping[str, Any]) -> tuple[Row | None, str]:
        """The record after a merge patch (None where the service answers without it), and its ETag."""
        headers = {"If-Match": tag, "Content-Type": "application/merge-patch+json"}
        answer = self._http.request("PATCH", f"{BASE}/{path}/{key}", data=write_json(body), headers=headers)
        return _value(answer), answer.headers.get("ETag", "")


def _value(answer: Answer) -> Row | None:
    if answer.status_code == 204 or not answer.content:
        return None
    body = answer.json()
    row = body.get("value") if isinstance(body, dict) else None
    return row if isinstance(row, dict) else None
