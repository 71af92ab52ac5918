"""The service's own description: ``$metadata`` as an EDMX document."""

from xml.sax.saxutils import quoteattr

from connectors.sandbox.sap.schema import EntityType, Property, Schema

_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" '
    'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" '
    'xmlns:sap="http://www.sap.com/Protocols/SAPData" xmlns:c4c="http://www.sap.com/Protocols/C4CData">'
    '<edmx:DataServices m:DataServiceVersion="2.0">'
    '<Schema Namespace="c4codataapi" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">'
)
_CODE_LIST = (
    '<EntityType Name="CodeList"><Key><PropertyRef Name="Code"/></Key>'
    '<Property Name="Code" Type="Edm.String" Nullable="false"/><Property Name="Description" Type="Edm.String"/></EntityType>'
)


def edmx(schema: Schema, *, labels: bool = False, gone: frozenset[str] = frozenset()) -> str:
    """The document. ``labels``: with ``sap:label``; ``gone``: properties that vanished."""
    shown = list(schema.sets.values())
    types = "".join(_type(schema, one, gone, labels=labels) for one in shown)
    pairs = [(one, schema.types[one.parent]) for one in shown if one.parent]
    links = "".join(_association(child, parent) for child, parent in pairs)
    sets = "".join(f'<EntitySet Name="{one.set_name}" EntityType="c4codataapi.{one.name}"/>' for one in shown)
    lists = "".join(
        f'<EntitySet Name="{code_set(one, known)}" EntityType="c4codataapi.CodeList"/>' for one, known in schema.codes()
    )
    joined = "".join(_association_set(child, parent) for child, parent in pairs)
    return (
        f'{_OPEN}{types}{_CODE_LIST}{links}<EntityContainer Name="c4codataapi" m:IsDefaultEntityContainer="true">'
        f"{sets}{lists}{joined}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"
    )


def code_set(entity: EntityType, one: Property) -> str:
    """The set with the codes of a property."""
    return f"{entity.name}{one.name}Collection"


def _type(schema: Schema, entity: EntityType, gone: frozenset[str], *, labels: bool) -> str:
    properties = "".join(
        _property(entity, one, labels=labels) for name, one in entity.properties.items() if name not in gone
    )
    links = "".join(_navigation(schema, entity, name, many=many) for name, (_, many) in entity.navigations.items())
    key = '<Key><PropertyRef Name="ObjectID"/></Key>'
    return f'<EntityType Name="{entity.name}">{key}{properties}{links}</EntityType>'


def _property(entity: EntityType, one: Property, *, labels: bool) -> str:
    facets = {
        "Edm.Decimal": f' Precision="28" Scale="{one.scale}"', "Edm.DateTimeOffset": ' Precision="7"',
    }.get(one.edm, "")  # fmt: skip
    facets += f' MaxLength="{one.max_length}"' if one.max_length else ""
    facets += ' ConcurrencyMode="Fixed"' if one.name == "ETag" else ""
    flags = (
        ("nullable", "Nullable"),
        ("creatable", "sap:creatable"),
        ("updatable", "sap:updatable"),
        ("filterable", "sap:filterable"),
    )
    facets += "".join(f' {word}="{str(getattr(one, name)).lower()}"' for name, word in flags)
    if one.kind == "code":
        facets += f' sap:semantics="fixed-values" sap:text="{one.name}Text" c4c:value-help="{code_set(entity, one)}"'
    facets += ' c4c:extension-field="true"' if one.extension else ""
    facets += f" sap:label={quoteattr(one.label or one.name)}" if labels else ""
    return f'<Property Name="{one.name}" Type="{one.edm}"{facets}/>'


def _navigation(schema: Schema, entity: EntityType, name: str, *, many: bool) -> str:
    target = schema.types[entity.navigations[name][0]]
    relation, role = _relation(target, entity) if many else _relation(entity, target)
    ends = (entity.name, role) if many else (role, target.name)
    return (
        f'<NavigationProperty Name="{name}" Relationship="c4codataapi.{relation}" '
        f'FromRole="{ends[0]}" ToRole="{ends[1]}"/>'
    )


def _relation(child: EntityType, parent: EntityType) -> tuple[str, str]:
    """The child's role, which is the name of the navigation to it."""
    role = next(name for name, (target, many) in parent.navigations.items() if many and target == child.name)
    return f"{parent.name}_{role}", role


def _association(child: EntityType, parent: EntityType) -> str:
    name, role = _relation(child, parent)
    return (
        f'<Association Name="{name}"><End Type="c4codataapi.{parent.name}" Multiplicity="1" Role="{parent.name}"/>'
        f'<End Type="c4codataapi.{child.name}" Multiplicity="*" Role="{role}"/></Association>'
    )


def _association_set(child: EntityType, parent: EntityType) -> str:
    name, role = _relation(child, parent)
    return (
        f'<AssociationSet Name="{name}Set" Association="c4codataapi.{name}"><End EntitySet="{parent.set_name}" Role="{parent.name}"/>'
        f'<End EntitySet="{child.set_name}" Role="{role}"/></AssociationSet>'
    )
