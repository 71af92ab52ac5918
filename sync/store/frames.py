"""Rows into typed Polars frames, in chunks and without objects per row: drivers guess types, so every column names its own."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from scoring.schemas import MOMENT, schema
from sync.store.engine import Tx

_CHUNK = 10_000
_SINCE_1970: dict[pl.DataType, str] = {
    MOMENT: '(EXTRACT(EPOCH FROM "{name}") * 1000000)::bigint',
    pl.Date(): "(\"{name}\" - DATE '1970-01-01')",
}
_PHYSICAL: dict[pl.DataType, pl.DataType] = {MOMENT: pl.Int64(), pl.Date(): pl.Int32()}


def columns_of(kind: str) -> dict[str, pl.DataType]:
    """Columns of a kind's frame: those of ``scoring.schemas``, then ``seq`` and ``first_load``."""
    columns = {name: dtype if isinstance(dtype, pl.DataType) else dtype() for name, dtype in schema(kind).items()}
    return {**columns, "seq": pl.Int64(), "first_load": pl.Boolean()}


def read(tx: Tx, kind: str, where: str, parameters: Sequence[Any] = (), *, stamped: bool = False) -> pl.DataFrame:
    """Rows of a kind that a condition selects. ``stamped``: with the CRM's stamp of when the version was stored."""
    columns = columns_of(kind)
    expressions = (_expression(tx, name, dtype, stamped=stamped) for name, dtype in columns.items())
    statement = f'SELECT {", ".join(expressions)} FROM "{kind}" WHERE {where} ORDER BY seq'  # noqa: S608 - conditions are ours, values bound
    chunks = []
    with _rows(tx, statement, parameters) as cursor, _without_collector():
        while rows := cursor.fetchmany(_CHUNK):
            parts = zip(columns.items(), zip(*rows, strict=True), strict=True)
            chunks.append(pl.DataFrame([_series(tx, name, dtype, values) for (name, dtype), values in parts]))
    return pl.concat(chunks, rechunk=True) if chunks else pl.DataFrame(schema=columns)


def _expression(tx: Tx, name: str, dtype: pl.DataType, *, stamped: bool) -> str:
    column = "stamped_at" if stamped and name == "modified_at" else name
    if tx.dialect == "postgresql" and dtype in _SINCE_1970:
        return f'{_SINCE_1970[dtype].format(name=column)} AS "{name}"'
    return f'"{column}" AS "{name}"'


@contextmanager
def _without_collector() -> Iterator[None]:
    """Rows are tuples without cycles: looking for some after every few thousand costs a quarter of the read."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _rows(tx: Tx, statement: str, parameters: Sequence[Any]) -> Iterator[Any]:
    if tx.dialect == "postgresql":  # a named cursor leaves the rows with the server until they are fetched
        cursor = tx.db.connection.driver_connection.cursor("scoreback_frames")  # type: ignore[union-attr] # it is connected
        cursor.itersize = _CHUNK
    else:
        cursor = tx.cursor()
    try:
        cursor.execute(statement, tuple(parameters))
        yield cursor
    finally:
        cursor.close()


def _series(tx: Tx, name: str, dtype: pl.DataType, values: Sequence[Any]) -> pl.Series:
    if isinstance(dtype, pl.Decimal):
        return pl.Series(name, values, dtype=pl.String).cast(dtype, strict=False)  # beyond 26 digits: unknown
    if isinstance(dtype, pl.List):
        return pl.Series(name, values, dtype=pl.String).str.json_decode(dtype)
    if tx.dialect == "postgresql":
        physical = _PHYSICAL.get(dtype, dtype)
        return pl.Series(name, values, dtype=physical).cast(dtype)
    if dtype == MOMENT:
        return pl.Series(name, values, dtype=pl.String).str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.6f", time_unit="us", time_zone="UTC"
        )
    if dtype == pl.Date():
        return pl.Series(name, values, dtype=pl.String).str.to_date("%Y-%m-%d")
    if dtype == pl.Boolean():
        return pl.Series(name, values, dtype=pl.Int8).cast(dtype)
    return pl.Series(name, values, dtype=dtype)
