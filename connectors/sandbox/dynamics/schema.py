"""Tables and columns of an environment: what metadata answers tell and what reads and writes are checked against."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connectors.sandbox.dynamics.ids import guid

EDM = {
    "guid": "Edm.Guid", "string": "Edm.String", "memo": "Edm.String", "int": "Edm.Int32", "bigint": "Edm.Int64",
    "money": "Edm.Decimal", "decimal": "Edm.Decimal", "double": "Edm.Double", "bool": "Edm.Boolean",
    "picklist": "Edm.Int32", "state": "Edm.Int32", "status": "Edm.Int32", "datetime": "Edm.DateTimeOffset",
    "date": "Edm.Date", "lookup": "Edm.Guid", "owner": "Edm.Guid", "customer": "Edm.Guid", "entityname": "Edm.String",
}  # fmt: skip
"""The OData type of each of our column types."""

ATTRIBUTE_TYPES = {
    "guid": "Uniqueidentifier", "string": "String", "memo": "Memo", "int": "Integer", "bigint": "BigInt",
    "money": "Money", "decimal": "Decimal", "double": "Double", "bool": "Boolean", "picklist": "Picklist",
    "state": "State", "status": "Status", "datetime": "DateTime", "date": "DateTime", "lookup": "Lookup",
    "owner": "Owner", "customer": "Customer", "entityname": "EntityName",
}  # fmt: skip
"""The AttributeType that metadata names for each of our column types."""

LOOKUPS = frozenset({"lookup", "owner", "customer"})
OPTIONS = frozenset({"picklist", "state", "status"})
SERVER_SET = frozenset(
    {
        "createdon", "modifiedon", "versionnumber", "createdby", "modifiedby", "owninguser", "owningteam",
        "owningbusinessunit", "overriddencreatedon", "exchangerate",
    }
)  # fmt: skip
"""Columns that only the server writes: a body that names them is read past (metadata: IsValidForUpdate false)."""


@dataclass(slots=True)
class Column:
    """One column. ``name`` is the logical name; ``key`` is the JSON property (``_x_value`` of a lookup)."""

    name: str
    type: str
    label: str
    number: int
    schema: str = ""
    length: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    precision: int = 2
    targets: tuple[str, ...] = ()
    navs: dict[str, str] = field(default_factory=dict)
    """Navigation property by target table."""
    options: dict[int, str] = field(default_factory=dict)
    states: dict[int, int] = field(default_factory=dict)
    """Of a status column: the state that each value belongs to."""
    custom: bool = False
    behavior: str = "UserLocal"
    shows_day: bool = False
    """Of a date: whether it is shown without a time, whatever it keeps."""
    description: str = ""
    solution: str | None = None
    base: bool = False
    """A ``_base`` twin."""
    required: bool = False
    key: str = ""

    def __post_init__(self) -> None:
        self.key = self.key or (f"_{self.name}_value" if self.is_lookup else self.name)
        self.schema = self.schema or self.name

    @property
    def is_lookup(self) -> bool:
        """Whether it points to a row."""
        return self.type in LOOKUPS

    @property
    def server_set(self) -> bool:
        """Whether only the server writes it."""
        return self.base or self.name in SERVER_SET


@dataclass(slots=True)
class TableType:
    """One table. ``family`` is the table whose rows include this one's (activities)."""

    name: str
    set_name: str
    pk: str
    title: str
    display: str
    code: int
    columns: dict[str, Column] = field(default_factory=dict)
    tracked: bool = True
    audited: bool = False
    bulk: frozenset[str] = frozenset({"CreateMultiple", "UpdateMultiple", "UpsertMultiple"})
    family: str = ""
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Alternate keys: logical names of their columns by key name."""
    read_only: bool = False
    single_read: bool = True
    """Whether a row can be asked for by id (``activityparties`` cannot)."""
    _by_key: dict[str, Column] = field(default_factory=dict)
    _by_nav: dict[str, tuple[Column, str]] = field(default_factory=dict)

    def add(self, columns: Iterable[Column]) -> None:
        """Takes columns; a money column brings its ``_base`` twin."""
        for column in columns:
            self._take(column)
            if column.type == "money" and not column.base:
                label = f"{column.label} (Base)"
                twin = Column(
                    f"{column.name}_base", "money", label, self.next_number(), base=True, custom=column.custom
                )
                self._take(twin)

    def _take(self, column: Column) -> None:
        self.columns[column.name] = column
        self._by_key[column.key] = column
        for target, nav in column.navs.items():
            self._by_nav[nav] = (column, target)

    def drop(self, name: str) -> None:
        """Removes a column."""
        column = self.columns.pop(name)
        self._by_key.pop(column.key, None)
        for nav in column.navs.values():
            self._by_nav.pop(nav, None)

    def next_number(self) -> int:
        """The ColumnNumber of the next column."""
        return max((one.number for one in self.columns.values()), default=0) + 1

    def by_key(self, key: str) -> Column | None:
        """A column by its JSON property."""
        return self._by_key.get(key)

    def nav(self, name: str) -> tuple[Column, str] | None:
        """The column and target table of a navigation property; names are case-sensitive."""
        return self._by_nav.get(name)

    def navs(self) -> dict[str, tuple[Column, str]]:
        """All navigation properties."""
        return self._by_nav

    @property
    def money(self) -> list[str]:
        """Money columns that have a ``_base`` twin."""
        return [one.name for one in self.columns.values() if one.type == "money" and not one.base]

    @property
    def custom(self) -> bool:
        """Whether a customer made it."""
        return self.name.startswith("new_")

    @property
    def schema(self) -> str:
        """The SchemaName: what privileges are named after."""
        return f"{'new_' if self.custom else ''}{self.title.replace(' ', '')}"

    def attribute_id(self, column: str) -> str:
        """The MetadataId of a column."""
        return guid(f"attribute/{self.name}", column)

    @property
    def metadata_id(self) -> str:
        """The MetadataId of the table."""
        return guid("entity", self.name)


def label(text: str) -> dict[str, Any]:
    """A Label in the one language of this environment."""
    one = {
        "Label": text,
        "LanguageCode": 1033,
        "IsManaged": False,
        "MetadataId": guid("label", text or "-"),
        "HasChanged": None,
    }
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}
