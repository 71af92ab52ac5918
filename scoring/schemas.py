"""Polars column types of every record: reads name their types, for drivers guess from the first rows."""

import types
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin

import polars as pl

from connectors.records import RECORDS

MONEY = pl.Decimal(38, 12)
MOMENT = pl.Datetime("us", "UTC")


def _dtype(annotation: Any) -> pl.DataType | type[pl.DataType]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _dtype(next(part for part in get_args(annotation) if part is not type(None)))
    if origin is list:
        return pl.List(pl.String)
    if origin in (dict, Literal):
        return pl.String  # a map travels as JSON text
    if hasattr(annotation, "__metadata__"):
        return _dtype(get_args(annotation)[0])
    plain: dict[Any, pl.DataType | type[pl.DataType]] = {
        str: pl.String,
        bool: pl.Boolean,
        int: pl.Int64,
        date: pl.Date,
        datetime: MOMENT,
        Decimal: MONEY,
    }
    return plain[annotation]


def schema(kind: str) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns of one record kind with their types, in the record's order, behind ``connection`` and ``recorded_at``."""
    fields = RECORDS[kind].model_fields
    return {
        "connection": pl.String,
        "recorded_at": MOMENT,
        **{name: _dtype(field.annotation) for name, field in fields.items()},
    }


SCHEMAS = {kind: schema(kind) for kind in RECORDS}
