"""What an activity is about: queries and files tell an id without its module, so it is looked up among deals and accounts."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connectors import zoho_coql as coql
from connectors.errors import ContractError
from connectors.zoho_api import ZohoApi
from connectors.zoho_values import ref

DEALS, ACCOUNTS = "Deals", "Accounts"
LIST_FROM = 1_000
"""Unknown ids of one page from which all ids of both modules are listed: 2,000 a call, against 50 looked up by name."""


class Links:
    """Modules of ids, remembered for the life of the process: an id never changes its module."""

    def __init__(self, api: ZohoApi) -> None:
        self._api = api
        self._modules: dict[str, str] = {}
        self._listed = False

    def remember(self, module: str, ids: Iterable[str]) -> None:
        """These ids are rows of this module."""
        self._modules.update(dict.fromkeys(ids, module))

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Tells each row of an activity its deal or its account."""
        about = [ref(row.get("What_Id")) for row in rows]
        self._resolve({one for one in about if one is not None and one not in self._modules})
        for row, one in zip(rows, about, strict=True):
            module = self._modules.get(one or "")
            row["@opportunity_id"] = one if module == DEALS else None
            row["@account_id"] = one if module == ACCOUNTS else None

    def ids(self, module: str) -> Iterator[list[str]]:
        """Ids of all rows of a module, 2,000 a call."""
        last = ""
        while True:
            where = [coql.behind(None, "", last)] if last else []
            query = coql.select(["id"], module, where, "id asc", coql.MOST_ROWS)
            rows, more = self._api.coql(query, coql.MOST_ROWS)
            found = [str(row["id"]) for row in rows]
            yield found
            if not more:
                return
            if not found or found[-1] == last:
                raise ContractError(f"{module}: Zoho says that there are more ids, and gives none")
            last = found[-1]

    def _resolve(self, unknown: set[str]) -> None:
        if len(unknown) >= LIST_FROM and not self._listed:
            self._listed = True
            for module in (DEALS, ACCOUNTS):
                for portion in self.ids(module):
                    self.remember(module, portion)
            unknown = {one for one in unknown if one not in self._modules}
        for module in (DEALS, ACCOUNTS):
            for condition in coql.among("id", sorted(unknown)):
                query = coql.select(["id"], module, [condition], "id asc", coql.FEW_ROWS)
                rows, _ = self._api.coql(query, coql.FEW_ROWS)
                self.remember(module, (str(row["id"]) for row in rows))
            unknown = {one for one in unknown if one not in self._modules}
        self.remember("", unknown)  # leads, cases, deleted rows: not asked for again
