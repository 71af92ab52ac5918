"""Reading modules of Zoho: which queries a stream's window takes, and how rows become what the mapping expects.

Changes are read by COQL behind the last row (stamp, then id); everything by id, and in bulk once that is cheaper. The
fields of a module are asked for only after a query was refused for one: an idle cycle costs one call per stream.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf
from time import monotonic
from typing import Any

import structlog

from connectors.base import Page, Raw, Stream, Window
from connectors.errors import ContractError, ForbiddenError, MissingFieldsError, RejectedError
from connectors.mapping import remote_fields, sources
from connectors.records import RECORDS
from connectors.zoho import coql
from connectors.zoho.api import ZohoApi
from connectors.zoho.bulk import BulkRead, Portion
from connectors.zoho.links import Links
from connectors.zoho.settings import OWN_KINDS, ZohoSettings
from connectors.zoho.streams import HISTORY_COLUMNS, LOAD_BEARING, READINGS, STAMP
from connectors.zoho.values import ref

log = structlog.get_logger("connectors.zoho")

CURRENCY = "Currency"
NOTHING = "-None-"
"""What an empty choice may be called."""

BULK_FROM = 37_000
"""Rows from which Bulk Read is cheaper: 50 credits for a job, five looks and the file, against 3 for 2,000 by query."""

ASK_AFTER = coql.MOST_ROWS
"""Rows after which the module is counted, for a credit: one that a single query brings whole pays no count."""

_ONE_CURRENCY = "one_currency"


class Reader:
    """Pages of any stream that is a module. Keeps for its life which fields are hidden; ``learnt`` outlives it."""

    def __init__(self, api: ZohoApi, connection: ZohoSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._connection = connection
        self._learnt = learnt
        self._hidden: dict[str, tuple[float, frozenset[str]]] = {}
        self.links = Links(api)
        self.bulk = BulkRead(api, connection.name)

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages of the window, behind ``resume``."""
        if self.module(stream) == "":
            return
        self.check_mapping(stream)
        for portion in self.portions(stream, window, resume):
            yield self.page(stream, portion.rows, portion.resume)

    def portions(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Portion]:
        """Plain rows of the window: by query, or in bulk where everything is read and it is much."""
        if resume is not None and resume.startswith("{"):
            for portion in self.bulk.rows(self.module(stream), self._visible(stream), resume):
                self._hide_absent(stream, portion.rows)
                yield portion
            return
        if window.start is not None or window.since is not None or not self._bulk_serves(stream):
            yield from self._of_window(stream, window, resume)
            return
        seen: set[str] = set()
        ask_after: float = ASK_AFTER
        for portion in self._of_window(stream, window, resume):
            yield portion
            seen.update(row["id"] for row in portion.rows)
            if portion.resume is None or len(seen) < ask_after:
                continue
            if len(seen) >= BULK_FROM or (rows := self._count(stream)) >= BULK_FROM:
                break
            ask_after = inf if rows else BULK_FROM
        else:
            return
        for portion in self.bulk.rows(self.module(stream), self._visible(stream), None):
            yield Portion([row for row in portion.rows if row["id"] not in seen], portion.resume)

    def _count(self, stream: Stream) -> int:
        """A module's rows; 0 where Zoho does not count it: then as many rows as make Bulk Read pay are a sign of more."""
        try:
            return self._api.count(self.module(stream))
        except (ForbiddenError, RejectedError) as error:
            log.info("count_refused", connection=self._connection.name, stream=stream.name, reason=str(error))
            return 0

    def page(self, stream: Stream, rows: Sequence[dict[str, Any]], resume: str | None = None) -> Page:
        """Rows as the mapping expects them."""
        if stream.kind == "activity":
            self.links.add(rows)
        if stream.name == "opportunity":
            self._add_currency(rows)
        if stream.name in ("account", "opportunity"):
            self.links.remember(stream.remote, (row["id"] for row in rows))
        wrapped = [path for path in remote_fields(stream, self._connection) if path.endswith(".id")]
        made = [(path, make) for path, (_, make) in READINGS[stream.name].derived.items() if make is not None]
        for row in rows:
            row.update({name: None for name, value in row.items() if value == NOTHING})
            for path in wrapped:
                row[path] = ref(row.get(path.removesuffix(".id")))
            for path, make in made:
                row[path] = make(row)
        return Page([Raw(stream, row) for row in rows], resume, lacks=self.lacks(stream))

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Ids of all rows, 2,000 a call."""
        if self.module(stream):
            yield from (
                [row["id"] for row in rows]
                for rows in self._api.rows(["id"], self.module(stream), self._needed(stream))
            )

    def fetch(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """Whole rows by id, 50 a call."""
        for condition in coql.among("id", [one for one in ids if one.isdigit()]):
            where = [*self._needed(stream), condition]
            for portion in self._by_query(stream, where, None, coql.FEW_ROWS):
                yield self.page(stream, portion.rows)

    def _needed(self, stream: Stream) -> list[str]:
        needs = READINGS[stream.name].needs
        return [f"{needs} is not null"] if needs in self.columns(stream) else []

    def module(self, stream: Stream) -> str:
        """The module that a stream reads in this org; "" for a record that has no home here."""
        return self._connection.object_of(stream.name) or stream.remote

    def columns(self, stream: Stream) -> list[str]:
        """Every column that the stream's mapping takes, whether visible or not."""
        if stream.name == "history":
            return list(HISTORY_COLUMNS)
        columns = ["id", STAMP]
        derived = READINGS[stream.name].derived
        for path in remote_fields(stream, self._connection):
            if path in derived:
                columns.extend(derived[path][0])
            elif not path.startswith("@"):
                columns.append(path.removesuffix(".id"))
        if _ONE_CURRENCY in self._learnt:
            columns = [column for column in columns if column != CURRENCY or stream.name != "opportunity"]
        return list(dict.fromkeys(columns))

    def mapped_columns(self, stream: Stream) -> frozenset[str]:
        """Those columns that the connection's own mapping names."""
        ours = {source if isinstance(source, str) else source.path for source in stream.fields.values()}
        derived = {column for columns, _ in READINGS[stream.name].derived.values() for column in columns}
        return frozenset(self.columns(stream)) - {path.removesuffix(".id") for path in ours} - derived - {"id", STAMP}

    def hidden_of(self, stream: Stream, columns: Sequence[str], *, fresh: bool = False) -> list[str]:
        """Which columns the module does not have, or hides from our user."""
        there = self._api.fields(self.module(stream), fresh=fresh)
        hidden = [column for column in columns if column.partition(".")[0] not in there and column != "id"]
        if CURRENCY in hidden and stream.name == "opportunity" and not self._is_hidden_currency(stream):
            self._learnt[_ONE_CURRENCY] = "yes"  # no currency fields: the org has one only
            hidden.remove(CURRENCY)
        return hidden

    def _is_hidden_currency(self, stream: Stream) -> bool:
        """Whether deals have currencies that we may not see: to take the org's own for them would make wrong amounts."""
        return CURRENCY in self.mapped_columns(stream) or len(self._api.currencies()) > 1

    # -- queries ------------------------------------------------------------------------------------------------------

    def _of_window(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Portion]:
        where = self._needed(stream)
        if window.start is None:
            since = READINGS[stream.name].since
            where += [since(window.since)] if since and window.since else []
            return self._by_query(stream, where, resume, coql.MOST_ROWS)
        where += [f"{STAMP} >= {coql.moment(window.start)}", f"{STAMP} < {coql.moment(window.end)}"]
        return self._by_query(stream, where, resume, coql.FEW_ROWS, cursor=STAMP)

    def _by_query(
        self, stream: Stream, where: Sequence[str], resume: str | None, limit: int, cursor: str | None = None
    ) -> Iterator[Portion]:
        order = f"{cursor} asc, id asc" if cursor else "id asc"
        while True:
            stamp, _, row_id = (resume or "").partition("|")
            behind = coql.behind(cursor, stamp, row_id) if resume else ""
            query = partial(coql.select, module=self.module(stream), where=[*where, behind], order=order, limit=limit)
            rows, more = self._seen(stream, self.columns(stream), query, limit)
            last = f"{rows[-1].get(STAMP) or ''}|{rows[-1]['id']}" if rows else None
            if more and (last is None or last == resume):
                raise ContractError(f"{self.module(stream)}: Zoho says that there are more rows, and gives none")
            yield Portion(rows, last if more else None)
            if not more:
                return
            resume, limit = last, coql.MOST_ROWS

    def _seen(
        self, stream: Stream, columns: Sequence[str], query: Callable[[Sequence[str]], str], limit: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """The answer to what ``query`` makes of the columns that are visible."""
        if len(columns) > coql.MOST_COLUMNS:
            raise MissingFieldsError(
                f"{self._connection.name}: fields.{stream.name} reads {len(columns)} fields of {self.module(stream)}, and "
                f"a query takes {coql.MOST_COLUMNS}: map fewer"
            )
        for learnt in (False, True):
            try:
                return self._api.coql(query(self._visible(stream, columns)), limit)
            except RejectedError as error:
                if error.code == "INVALID_MODULE":
                    return self._without(stream, error)
                if error.code != "INVALID_QUERY" or learnt:
                    raise
                self._learn(stream, columns, error)
                columns = self.columns(stream)
        return [], False

    def _visible(self, stream: Stream, columns: Sequence[str] | None = None) -> list[str]:
        _, hidden = self._hidden.get(stream.name, (0.0, frozenset()))
        return [column for column in columns or self.columns(stream) if column not in hidden]

    def _bulk_serves(self, stream: Stream) -> bool:
        return not any("." in column for column in self.columns(stream))

    def _without(self, stream: Stream, error: RejectedError) -> tuple[list[dict[str, Any]], bool]:
        module = self.module(stream)
        if stream.name in OWN_KINDS:
            raise MissingFieldsError(
                f"{self._connection.name}: streams.{stream.name}: Zoho has no module {module}, or our user does not see it"
            ) from None
        if stream.optional:
            log.info("feature_absent", connection=self._connection.name, stream=stream.name, remote=module)
            return [], False
        raise ForbiddenError(
            f"{self._connection.name}: {stream.name}: Zoho shows our user no module {module} ({error.text}). Grant View on "
            "it in the profile of our user, or switch the stream off"
        ) from None

    def _learn(self, stream: Stream, columns: Sequence[str], error: RejectedError) -> None:
        """Which columns to leave out from now on. Raises if the admin mapped one, or one must not be missing."""
        before = len(self.columns(stream))
        hidden = self.hidden_of(stream, columns, fresh=True)
        if not hidden and len(self.columns(stream)) == before:
            raise error
        module, name = self.module(stream), self._connection.name
        mapped = sorted(self.mapped_columns(stream).intersection(hidden))
        if mapped:
            raise MissingFieldsError(
                f"{name}: fields.{stream.name}: {module} has no {' and no '.join(mapped)}, or the profile of our user hides "
                f"it. Correct the API name in connections/{name}.yaml, or grant Read on the field. Nothing of {stream.name} "
                "was changed"
            )
        needed = sorted(LOAD_BEARING.intersection(hidden))
        if needed:
            raise MissingFieldsError(
                f"{name}: {stream.name}: {module} has no {' and no '.join(needed)}, or the profile of our user hides it. "
                f"Grant Read on the field, or name its successor under fields.{stream.name} of connections/{name}.yaml; "
                "until then nothing of it is changed"
            )
        if hidden:
            log.warning("fields_hidden", connection=name, stream=stream.name, fields=hidden)
        self._hidden[stream.name] = monotonic(), frozenset(hidden)

    def _hide_absent(self, stream: Stream, rows: Sequence[dict[str, Any]]) -> None:
        """What the file of an earlier process leaves out was hidden when it was asked for."""
        absent = frozenset(self.columns(stream)).difference(rows[0], {CURRENCY}) if rows else frozenset()
        if absent:
            self._hidden[stream.name] = monotonic(), absent

    def lacks(self, stream: Stream) -> frozenset[str]:
        """Columns that are hidden now. They are asked for again after a while, for rights may be granted."""
        since, hidden = self._hidden.get(stream.name, (0.0, frozenset()))
        if hidden and monotonic() - since >= self._connection.metadata_every.total_seconds():
            del self._hidden[stream.name]
        return hidden

    def check_mapping(self, stream: Stream) -> None:
        """Raises MissingFieldsError where a record's own module is named, and not what its rows mean."""
        if stream.name not in OWN_KINDS:
            return
        given = sources(stream, self._connection).keys() | stream.constants.keys()
        needed = [name for name, one in RECORDS[stream.kind].model_fields.items() if one.is_required()]
        missing = [name for name in needed if name not in given]
        if missing:
            raise MissingFieldsError(
                f"{self._connection.name}: streams.{stream.name} names {self.module(stream)}: map "
                f"{', '.join(f'fields.{stream.name}.{name}' for name in missing)} too"
            )

    def _add_currency(self, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            row["@currency"] = row.get(CURRENCY) or self._api.org_fact("currency") or None
