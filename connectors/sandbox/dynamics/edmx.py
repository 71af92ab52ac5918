"""``$metadata``: the CSDL of the tables that are installed."""

from connectors.sandbox.dynamics.schema import EDM, TableType
from connectors.sandbox.dynamics.store import Org

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    '<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
    '<EntityType Name="crmbaseentity" Abstract="true" />'
    '<EntityType Name="principal" BaseType="mscrm.crmbaseentity"><Key><PropertyRef Name="ownerid" /></Key>'
    '<Property Name="ownerid" Type="Edm.Guid" Nullable="false" /></EntityType>'
)
_PRINCIPALS = frozenset({"systemuser", "team"})
"""What may own a row: their key is the one of the type that they share."""


def edmx(org: Org) -> str:
    """The document."""
    tables = list(org.sets.values())
    types = "".join(_type(org, table) for table in tables)
    sets = "".join(
        f'<EntitySet Name="{one.set_name}" EntityType="Microsoft.Dynamics.CRM.{one.name}" />' for one in tables
    )
    tail = f'<EntityContainer Name="System">{sets}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    return _HEAD + types + tail


def _type(org: Org, table: TableType) -> str:
    base = "principal" if table.name in _PRINCIPALS else table.family or "crmbaseentity"
    key = "" if base != "crmbaseentity" else f'<Key><PropertyRef Name="{table.pk}" /></Key>'
    inherited = org.tables[table.family] if table.family else None
    lines = []
    for column in table.columns.values():
        if inherited is not None and column.name in inherited.columns:
            continue
        edm = EDM[column.type]
        more = ' Scale="Variable"' if edm == "Edm.Decimal" else ' Nullable="false"' if column.name == table.pk else ""
        lines.append(f'<Property Name="{column.key}" Type="{edm}"{more} />')
    for nav, (column, target) in table.navs().items():
        kind = org.tables.get(target)
        if kind is None or (
            inherited is not None and column.name in inherited.columns and column.name != "regardingobjectid"
        ):
            continue
        to, pk = ("principal", "ownerid") if column.name == "ownerid" else (target, kind.pk)
        lines.append(
            f'<NavigationProperty Name="{nav}" Type="mscrm.{to}"><ReferentialConstraint Property="{column.key}" '
            f'ReferencedProperty="{pk}" /></NavigationProperty>'
        )
    return f'<EntityType Name="{table.name}" BaseType="mscrm.{base}">{key}{"".join(lines)}</EntityType>'
