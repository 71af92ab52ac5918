"""What an activity is about: queries and files tell an id without its module, so it is looked up among deals and accounts."""

from collections.abc import Iterable, Sequence
from typing import Any

from connectors.zoho import coql
from connectors.zoho.api import ZohoApi
from connectors.zoho.values import ref

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

    def _resolve(self, unknown: set[str]) -> None:
        if len(unknown) >= LIST_FROM and not self._listed:
            self._listed = True
            for module in (DEALS, ACCOUNTS):
                self._look_up(module, [], coql.MOST_ROWS)
            unknown = {one for one in unknown if one not in self._modules}
        for module in (DEALS, ACCOUNTS):
            for condition in coql.among("id", sorted(unknown)):
                self._look_up(module, [condition], coql.FEW_ROWS)
            unknown = {one for one in unknown if one not in self._modules}
        self.remember("", unknown)  # leads, cases, deleted rows: not asked for again

    def _look_up(self, module: str, where: Sequence[str], limit: int) -> None:
        for rows in self._api.rows(["id"], module, where, limit):
            self.remember(module, (str(row["id"]) for row in rows))
