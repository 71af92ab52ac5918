"""Searching a module: by criteria, e-mail, phone or word; the first 2,000 matches."""

import re
from collections.abc import Callable
from typing import Any

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.bulk_criteria import criteria
from connectors.sandbox.zoho.errors import Refusal
from connectors.sandbox.zoho.lists import Lists
from connectors.sandbox.zoho.paging import number_of, page_size
from connectors.sandbox.zoho.store import Row, Table

MAX_FOUND = 2_000
MAX_CRITERIA = 15
_ONE = re.compile(r"\(\s*([\w$.]+)\s*:\s*(\w+)\s*:\s*((?:\\.|[^()\\])*?)\s*\)")
_WORDS = {"equals": "equal"}
_SPLIT = {"in", "between", "not_in"}
Test = Callable[[Row], bool]


def invalid_query(message: str, **details: Any) -> Refusal:
    """400 INVALID_QUERY."""
    return Refusal(400, "INVALID_QUERY", message, details)


class Search:
    """The handler of ``GET /{module}/search``."""

    def __init__(self, lists: Lists) -> None:
        self.org = lists.org
        self.lists = lists

    def search(self, request: Request, module: str) -> Reply:
        """One page of matches, latest changed first."""
        table = self.lists.table(module)
        test = self._test(request, table)
        size, page = page_size(request, self.lists.emulator.page_cap), number_of(request, "page", 1)
        if (page - 1) * size >= MAX_FOUND:
            raise Refusal(400, "LIMIT_REACHED", "maximum response iteration limit reached", {"limit": MAX_FOUND})
        chosen = self.lists.chosen(request, table, optional=True)
        keys = [key for _, key in reversed(table.stamps()) if test(table.rows[key])][:MAX_FOUND]
        readers = self.lists.rows.readers(table.module, chosen)
        found = keys[(page - 1) * size : page * size]
        if not found or self.lists.emulator.strike("empty", request):
            return Reply(204)
        data = [{name: read(table.rows[key]) for name, read in readers} for key in found]
        info = {"per_page": size, "count": len(data), "page": page, "more_records": page * size < len(keys)}
        return Reply(body={"data": data, "info": info})

    def _test(self, request: Request, table: Table) -> Test:
        given = {name: value for name in ("criteria", "email", "phone", "word") if (value := request.first(name))}
        if not given:
            names = ["criteria", "email", "phone", "word"]
            raise Refusal(
                400, "EXPECTED_PARAM_MISSING", "one of the expected parameter is missing", {"param_names": names}
            )
        name, value = next(iter(given.items()))
        if name == "criteria":
            return criteria(self.org, table.module, _Reader(value).read())
        low = value.lower()
        if name == "word":
            if len(value) < 2:
                raise invalid_query("invalid value for search", param_name="word")
            return lambda row: any(isinstance(held, str) and low in held.lower() for held in row.values())
        fields = [one.name for one in table.module.fields.values() if one.data_type == name]
        if not fields:
            raise Refusal(400, "FIELD_TYPE_UNAVAILABLE", "this data type is not found in this module")
        return lambda row: any(str(row.get(one, "")).lower() == low for one in fields)


class _Reader:
    """Reads ``((A:equals:x)and((B:in:1,2)or(C:starts_with:y)))`` into the groups that Bulk Read takes."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.at = 0
        self.count = 0

    def read(self) -> dict[str, Any]:
        found = self._group()
        if self.at < len(self.text):
            raise self._wrong()
        if self.count > MAX_CRITERIA:
            message = "no of criterium that can be given exceed the limit 15"
            raise Refusal(400, "CRITERIA_LIMIT_EXCEEDED", message)
        return found

    def _wrong(self) -> Refusal:
        return invalid_query("Invalid query formed", param_name="criteria")

    def _group(self) -> dict[str, Any]:
        """Terms joined by one word."""
        terms, word = [self._term()], ""
        while (joined := re.compile(r"\s*(and|or)\s*", re.IGNORECASE).match(self.text, self.at)) is not None:
            if word and joined[1].lower() != word:
                raise self._wrong()
            word, self.at = joined[1].lower(), joined.end()
            terms.append(self._term())
        return {"group_operator": word, "group": terms} if word else terms[0]

    def _term(self) -> dict[str, Any]:
        if one := _ONE.match(self.text, self.at):
            self.at = one.end()
            self.count += 1
            value: Any = re.sub(r"\\(.)", r"\1", one[3])
            comparator = _WORDS.get(one[2], one[2])
            value = value.split(",") if comparator in _SPLIT else value
            return {"field": {"api_name": one[1]}, "comparator": comparator, "value": value}
        if self.text[self.at : self.at + 1] != "(":
            raise self._wrong()
        self.at += 1
        inner = self._group()
        if self.text[self.at : self.at + 1] != ")":
            raise self._wrong()
        self.at += 1
        return inner
