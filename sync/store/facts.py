"""Facts for scoring: rows to frames, as they are or as they were known at a moment, whole or around a few subjects."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import polars as pl

from connectors.records import RECORDS
from sync.store import asof, frames
from sync.store.codec import codec
from sync.store.engine import Store, Tx
from sync.store.scope import Scope, Selection, by_connection, resolve

_LIST = 20_000
_OF_DEAL = {
    "activity": "opportunity_id",
    "split": "opportunity_id",
    "line_item": "opportunity_id",
    "payment": "opportunity_id",
}

Tables = dict[str, pl.DataFrame]


def load(
    source: Store | Tx,
    kinds: Iterable[str] = tuple(RECORDS),
    *,
    as_of: datetime | None = None,
    scope: Scope | None = None,
) -> Tables:
    """Frames by kind with the columns of ``scoring.schemas``, then ``seq`` and ``first_load``, in the order of ``seq``.

    ``as_of`` None gives the newest version of everything, deleted records included. A moment gives what was known then
    (``asof.py``): pass it in the organisation's zone, for plain dates are compared with its own date. ``scope`` reads only
    what the subjects in it need: their rows come out as from a full load, other rows may lack theirs.
    """
    wanted = list(dict.fromkeys(kinds))
    with _reading(source) as tx:
        selection = resolve(tx, scope) if scope is not None else None
        if as_of is None:
            return {kind: _current(tx, kind, selection) for kind in wanted}
        past = {kind for kind in (*wanted, *asof.NEEDED) if _knows_later(tx, kind, as_of)}
        if not past.intersection(wanted):
            return {kind: _current(tx, kind, selection) for kind in wanted}
        return _past(tx, wanted, as_of, selection)


@contextmanager
def _reading(source: Store | Tx) -> Iterator[Tx]:
    if isinstance(source, Tx):
        yield source
    else:
        with source.reading() as tx:
            yield tx


def _knows_later(tx: Tx, kind: str, as_of: datetime) -> bool:
    """Whether the newest version came later: the store's clock never runs back, so the newest is the last recorded."""
    prepared = codec(kind, tx.dialect)
    cursor = tx.cursor()
    cursor.execute(f'SELECT recorded_at FROM "{kind}" ORDER BY seq DESC LIMIT 1')  # noqa: S608 - a kind, not input
    row = cursor.fetchone()
    cursor.close()
    return row is not None and row[0] > prepared.moment(as_of)


def _current(tx: Tx, kind: str, selection: Selection | None) -> pl.DataFrame:
    if selection is None:
        return frames.read(tx, kind, "current")
    parts = [
        frames.read(tx, kind, f"current AND {where}", values) for where, values in _conditions(tx, kind, selection)
    ]
    return pl.concat(parts).unique("seq").sort("seq") if parts else frames.read(tx, kind, "seq < 0")


def _conditions(tx: Tx, kind: str, selection: Selection) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What to read of a kind for a selection; kinds that are small or serve everybody are read whole."""
    if kind == "opportunity":
        yield from _listed(tx, kind, "remote_id", selection.deals | selection.family)
    elif kind == "account":
        yield from _listed(tx, kind, "remote_id", selection.accounts)
    elif kind == "change":
        yield from _changes(tx, selection)
    elif kind in _OF_DEAL:
        yield from _listed(tx, kind, _OF_DEAL[kind], selection.deals)
        if kind == "activity" and selection.activities_of_persons:
            yield from _listed(tx, kind, "owner_id", selection.persons)
    else:
        yield "1 = 1", ()


def _changes(tx: Tx, selection: Selection) -> Iterator[tuple[str, tuple[Any, ...]]]:
    subjects = {"opportunity": selection.deals, "person": selection.persons, "account": selection.accounts}
    for record, ids in subjects.items():
        for where, values in _listed(tx, "change", "record_id", ids):
            yield f"record = '{record}' AND {where}", values


def _listed(
    tx: Tx, kind: str, column: str, subjects: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    prepared = codec(kind, tx.dialect)
    for connection, ids in by_connection(subjects).items():
        for start in range(0, len(ids), _LIST):
            part = prepared.listed(ids[start : start + _LIST])
            yield f"connection = {prepared.mark} AND {prepared.among(column)}", (connection, part)


def _past(tx: Tx, wanted: list[str], as_of: datetime, selection: Selection | None) -> Tables:
    needed = [*wanted, *(kind for kind in asof.NEEDED if kind not in wanted)]
    known = {kind: _versions(tx, kind, as_of, selection) for kind in needed}
    late = {kind: _first_loads(tx, kind, as_of, selection) for kind in needed}
    wound = asof.wind_back(late, known, as_of)
    return {kind: pl.concat([known[kind], wound[kind]]).sort("seq") for kind in wanted}


def _versions(tx: Tx, kind: str, as_of: datetime, selection: Selection | None) -> pl.DataFrame:
    """The last version of each record that was recorded by then."""
    prepared = codec(kind, tx.dialect)
    newest = f'SELECT MAX(seq) FROM "{kind}" WHERE recorded_at <= {prepared.mark} GROUP BY connection, remote_id'  # noqa: S608
    return _narrowed(tx, kind, f"seq IN ({newest})", (prepared.moment(as_of),), selection)


def _first_loads(tx: Tx, kind: str, as_of: datetime, selection: Selection | None) -> pl.DataFrame:
    """First versions that a first load brought only later: what they say of the time before has to be wound back."""
    prepared = codec(kind, tx.dialect)
    oldest = f'SELECT MIN(seq) FROM "{kind}" GROUP BY connection, remote_id'  # noqa: S608 - a kind, not input
    where = f"first_load AND recorded_at > {prepared.mark} AND seq IN ({oldest})"
    return _narrowed(tx, kind, where, (prepared.moment(as_of),), selection)


def _narrowed(tx: Tx, kind: str, where: str, values: tuple[Any, ...], selection: Selection | None) -> pl.DataFrame:
    if selection is None:
        return frames.read(tx, kind, where, values, stamped=True)
    parts = [
        frames.read(tx, kind, f"{where} AND {condition}", (*values, *more), stamped=True)
        for condition, more in _conditions(tx, kind, selection)
    ]
    return pl.concat(parts).unique("seq") if parts else frames.read(tx, kind, "seq < 0")
