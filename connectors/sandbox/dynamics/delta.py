"""Change tracking: full loads that end in a delta link, and what changed since one (vendor page 3.1)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from connectors.sandbox.dynamics.errors import Refusal, invalid
from connectors.sandbox.dynamics.options import Options, forbid_with_tracking, make_cookie, open_cookie
from connectors.sandbox.dynamics.query import MAX_PAGE, Page, Queries
from connectors.sandbox.dynamics.render import Preferences, Projection
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.store import Org, Row

_TOKEN = re.compile(r"(\d+)!(\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2})")
_FORMAT = "%m/%d/%Y %H:%M:%S"


class Changes:
    """Answers reads with ``odata.track-changes`` and delta links of one environment."""

    def __init__(self, org: Org, queries: Queries) -> None:
        self.org = org
        self.queries = queries

    def page(self, table: TableType, options: Options, prefer: Preferences, base: str) -> tuple[Page, str | None, bool]:
        """The page, the delta link (on the last one), and whether it answers a delta link."""
        self._enabled(table)
        forbid_with_tracking(options)
        since = self.since(options.delta) if options.delta else 0
        state: dict[str, Any] = open_cookie(options, options.skip) if options.skip else {"n": 1}
        since = int(state.get("since", since))
        upto = int(state.get("upto", self.org.version))
        size = min(prefer.page or MAX_PAGE, self.org.page_cap)
        answers_delta = bool(options.delta) or bool(state.get("delta"))
        writer = Projection(self.org, table, options.select, prefer).text
        texts, position = self._walk(table, state, since, upto, size, writer, base, answers_delta)
        page = Page(texts)
        if position is None:
            token = f"{upto}!{self._moment(state).strftime(_FORMAT)}"
            return page, options.link(base, "$deltatoken", token), answers_delta
        held = {
            **position,
            "since": since,
            "upto": upto,
            "delta": answers_delta,
            "began": self._moment(state).strftime(_FORMAT),
        }
        page.next_link = options.link(base, "$skiptoken", make_cookie(options, state["n"] + 1, held, tracking=True))
        return page, None, answers_delta

    def _moment(self, state: dict[str, Any]) -> datetime:
        began = state.get("began")
        return self.org.now() if began is None else datetime.strptime(began, _FORMAT).replace(tzinfo=UTC)

    def _walk(
        self, table: TableType, state: dict[str, Any], since: int, upto: int, size: int, writer: Callable[[Row], str],
        base: str, answers_delta: bool,
    ) -> tuple[list[str], dict[str, int] | None]:  # fmt: skip
        data = self.org.data[table.name]
        texts: list[str] = []
        if "gone" not in state:
            found = list(islice(data.changed(int(state.get("after", since)), upto), size + 1))
            texts = [writer(row) for _, row in found[:size]]
            if len(found) > size:
                return texts, {"after": found[size - 1][0]}
        if not answers_delta:
            return texts, None
        gone = sorted((version, row_id) for row_id, version in data.tombs.items() if since < version <= upto)
        start = int(state.get("gone", 0))
        room = size - len(texts)
        context = f'"@odata.context":"{base.rpartition("/")[0]}/$metadata#{table.set_name}/$deletedEntity"'
        texts += [f'{{{context},"id":"{row_id}","reason":"deleted"}}' for _, row_id in gone[start : start + room]]
        return texts, {"gone": start + room} if start + room < len(gone) else None

    def _enabled(self, table: TableType) -> None:
        if not table.tracked:
            raise Refusal(400, "0x80072491", f"Entity {table.name} isn't enabled for change tracking.")

    def since(self, token: str) -> int:
        """The version that a delta token stands for. Refusal 400: none of ours, or too old."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise invalid("Invalid delta token.")
        try:
            given = datetime.strptime(match[2], _FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise invalid("Invalid delta token.") from None
        days = int(self.org.rows("organization")[self.org.organization_id].get("expirechangetrackingindays", 7))
        if self.org.now() - given > timedelta(days=days):
            text = "Version stamp associated with the client has expired. Please perform a full sync."
            raise Refusal(400, "0x80044352", text)
        return int(match[1])

    def count(self, table: TableType, token: str) -> int:
        """How many changes there are since a delta token."""
        self._enabled(table)
        since = self.since(token)
        data = self.org.data[table.name]
        gone = sum(since < version for version in data.tombs.values())
        return gone + sum(1 for _ in data.changed(since, self.org.version))
