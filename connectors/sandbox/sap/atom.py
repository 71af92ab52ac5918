"""Atom, the service's own format: feeds, entries, the service document and the catalogue."""

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from connectors.sandbox.sap.schema import EntityType
from connectors.sandbox.sap.store import Row, Store
from connectors.sandbox.sap.values import atom_text, etag, iso

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
_SPACES = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" '
    'xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"'
)
_RELATED = "http://schemas.microsoft.com/ado/2007/08/dataservices/related/"
_SCHEME = "http://schemas.microsoft.com/ado/2007/08/dataservices/scheme"


def entry(
    store: Store, entity: EntityType, row: Row, root: str, select: tuple[str, ...], *, spaces: bool = True
) -> str:
    """One record. Expanded children are left to JSON: Atom answers link to them."""
    where = f"{entity.set_name}('{row['ObjectID']}')"
    names = [name for name in entity.properties if not select or name in select]
    values = "".join(_property(store, entity, row, name) for name in names)
    links = "".join(
        f"<link href={quoteattr(f'{where}/{name}')} rel={quoteattr(_RELATED + name)} "
        f'type="application/atom+xml;type={"feed" if many else "entry"}" title={quoteattr(name)}/>'
        for name, (_, many) in entity.navigations.items()
    )
    return (
        f"<entry{' ' + _SPACES if spaces else ''} m:etag={quoteattr(etag(row['ETag']))}><id>{escape(f'{root}/{where}')}</id>"
        f'<title type="text">{entity.set_name}</title><updated>{iso(row["EntityLastChangedOn"])}</updated>'
        f'<category term="c4codataapi.{entity.name}" scheme="{_SCHEME}"/>'
        f'<link href={quoteattr(where)} rel="edit" title={quoteattr(entity.name)}/>{links}'
        f'<content type="application/xml"><m:properties>{values}</m:properties></content></entry>'
    )


def _property(store: Store, entity: EntityType, row: Row, name: str) -> str:
    one = entity.properties[name]
    if one.code_of:
        text: str | None = store.text_of(entity.name, one.code_of, row.get(one.code_of, ""))
    else:
        text = atom_text(one, row.get(name))
    kind = "" if one.edm == "Edm.String" else f' m:type="{one.edm}"'
    return f'<d:{name}{kind} m:null="true"/>' if text is None else f"<d:{name}{kind}>{escape(text)}</d:{name}>"


def feed(
    store: Store,
    entity: EntityType,
    keys: Sequence[str],
    root: str,
    select: tuple[str, ...],
    total: int | None,
    following: str | None,
) -> str:
    """The records of one page."""
    rows = store.tables[entity.name].rows
    count = "" if total is None else f"<m:count>{total}</m:count>"
    entries = "".join(entry(store, entity, rows[key], root, select, spaces=False) for key in keys)
    ending = "" if following is None else f'<link rel="next" href={quoteattr(following)}/>'
    return (
        f"{HEAD}<feed {_SPACES} xml:base={quoteattr(root + '/')}><id>{escape(f'{root}/{entity.set_name}')}</id>"
        f'<title type="text">{entity.set_name}</title>{count}{entries}{ending}</feed>'
    )


def service_document(sets: Sequence[str], root: str) -> str:
    """What collections there are."""
    collections = "".join(
        f"<app:collection href={quoteattr(name)}><atom:title>{name}</atom:title></app:collection>" for name in sets
    )
    return (
        f'{HEAD}<app:service xmlns:app="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom" '
        f"xml:base={quoteattr(root + '/')}><app:workspace><atom:title>Default</atom:title>{collections}</app:workspace></app:service>"
    )
