"""Every path of the portal, numbered and dated, with the scopes it needs."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from connectors.sandbox.hubspot.account import Account, People, Splits
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.batch import Batches
from connectors.sandbox.hubspot.groups import Groups, Schemas
from connectors.sandbox.hubspot.oauth import Tokens
from connectors.sandbox.hubspot.objects import Objects
from connectors.sandbox.hubspot.pipelines import Pipelines
from connectors.sandbox.hubspot.properties import Properties
from connectors.sandbox.routing import Reply

DATED = ("2025-09", "2026-03", "2026-09")
Answer = Callable[..., Reply]


class Way(NamedTuple):
    """One endpoint. ``scope`` is read by ``hubspot_scopes.needed``."""

    method: str
    path: str
    answer: Answer
    scope: str = ""


class Desk(NamedTuple):
    """The handlers of a portal."""

    objects: Objects
    batches: Batches
    associations: Associations
    properties: Properties
    groups: Groups
    schemas: Schemas
    pipelines: Pipelines
    people: People
    account: Account
    splits: Splits
    tokens: Tokens


def ways(desk: Desk) -> Iterator[Way]:
    """All endpoints in all versions."""
    for version in ("v3", *DATED):
        dated = version != "v3"
        yield from _objects(desk, f"/crm/objects/{version}" if dated else "/crm/v3/objects", version)
        yield from _properties(desk, f"/crm/properties/{version}" if dated else "/crm/v3/properties", version)
        yield from _pipelines(desk, f"/crm/pipelines/{version}" if dated else "/crm/v3/pipelines")
        yield from _people(desk, version, dated=dated)
        yield from _account(desk, version, dated=dated)
        yield from _associations(desk, version if dated else "v4", dated=dated)
        yield from _splits(desk, version, dated=dated)
        yield from _schemas(desk, version, dated=dated)
        yield from _oauth(desk, version)
    yield from _oauth_v1(desk)


def _objects(desk: Desk, base: str, version: str) -> Iterator[Way]:
    one, many = desk.objects, desk.batches
    read, write = "objects.read", "objects.write"
    rows = f"{base}/{{type}}"
    yield Way("GET", rows, one.list_all, read)
    yield Way("POST", rows, partial(one.create, version=version), write)
    yield Way("GET", f"{rows}/{{id}}", one.read, read)
    yield Way("PATCH", f"{rows}/{{id}}", partial(one.update, version=version), write)
    yield Way("DELETE", f"{rows}/{{id}}", one.archive, write)
    yield Way("POST", f"{rows}/search", one.search, read)
    yield Way("POST", f"{rows}/merge", one.merge, write)
    yield Way("POST", f"{rows}/gdpr-delete", one.gdpr_delete, write)
    yield Way("POST", f"{rows}/batch/read", partial(many.read, version=version), read)
    yield Way("POST", f"{rows}/batch/update", partial(many.update, version=version), write)
    yield Way("POST", f"{rows}/batch/upsert", partial(many.upsert, version=version), write)
    yield Way("POST", f"{rows}/batch/create", partial(many.create, version=version), write)
    yield Way("POST", f"{rows}/batch/archive", many.archive, write)


def _properties(desk: Desk, base: str, version: str) -> Iterator[Way]:
    one, groups = desk.properties, desk.groups
    read, write = "properties.read", "properties.write"
    rows = f"{base}/{{type}}"
    yield Way("GET", rows, one.list_all, read)
    yield Way("POST", rows, one.create, write)
    yield Way("POST", f"{rows}/batch/read", partial(one.batch_read, version=version), read)
    yield Way("POST", f"{rows}/batch/create", partial(one.batch_create, version=version), write)
    yield Way("POST", f"{rows}/batch/archive", one.batch_archive, write)
    yield Way("GET", f"{rows}/groups", groups.list_all, read)
    yield Way("POST", f"{rows}/groups", groups.create, write)
    yield Way("GET", f"{rows}/groups/{{name}}", groups.read, read)
    yield Way("PATCH", f"{rows}/groups/{{name}}", groups.update, write)
    yield Way("DELETE", f"{rows}/groups/{{name}}", groups.archive, write)
    yield Way("GET", f"{rows}/{{name}}", one.read, read)
    yield Way("PATCH", f"{rows}/{{name}}", one.update, write)
    yield Way("DELETE", f"{rows}/{{name}}", one.archive, write)


def _pipelines(desk: Desk, base: str) -> Iterator[Way]:
    one = desk.pipelines
    read, write = "pipelines.read", "pipelines.write"
    rows = f"{base}/{{type}}"
    yield Way("GET", rows, one.list_all, read)
    yield Way("POST", rows, one.create, write)
    pipeline = f"{rows}/{{pipeline}}"
    yield Way("GET", pipeline, one.read, read)
    yield Way("PUT", pipeline, one.replace, write)
    yield Way("PATCH", pipeline, one.update, write)
    yield Way("DELETE", pipeline, one.archive, write)
    yield Way("GET", f"{pipeline}/audit", one.audit, read)
    yield Way("GET", f"{pipeline}/stages", one.stages, read)
    yield Way("POST", f"{pipeline}/stages", one.create_stage, write)
    stage = f"{pipeline}/stages/{{stage}}"
    yield Way("GET", stage, one.stage, read)
    yield Way("PUT", stage, one.update_stage, write)
    yield Way("PATCH", stage, one.update_stage, write)
    yield Way("DELETE", stage, one.archive_stage, write)
    yield Way("GET", f"{stage}/audit", one.audit, read)


def _people(desk: Desk, version: str, *, dated: bool) -> Iterator[Way]:
    owners = f"/crm/owners/{version}" if dated else "/crm/v3/owners"
    users = f"/settings/users/{version}" if dated else "/settings/v3/users"
    yield Way("GET", owners, desk.people.owners, "crm.objects.owners.read")
    yield Way("GET", f"{owners}/{{owner}}", desk.people.owner, "crm.objects.owners.read")
    yield Way("GET", f"{users}/teams", desk.people.teams, "settings.users.teams.read")
    yield Way("GET", users, desk.people.users, "settings.users.read")
    yield Way("GET", f"{users}/{{user}}", desk.people.user, "settings.users.read")


def _account(desk: Desk, version: str, *, dated: bool) -> Iterator[Way]:
    base = f"/account-info/{version}"
    yield Way("GET", f"{base}/details", desk.account.details)
    yield Way("GET", f"{base}/api-usage/daily/private-apps", desk.account.usage)
    base = f"/settings/currencies/{version}" if dated else "/settings/v3/currencies"
    scope = "settings.currencies.read"
    yield Way("GET", f"{base}/company-currency", desk.account.company_currency, scope)
    yield Way("GET", f"{base}/codes", desk.account.codes, scope)
    yield Way("GET", f"{base}/exchange-rates", desk.account.rates, scope)
    yield Way("GET", f"{base}/exchange-rates/current", desk.account.current_rates, scope)


def _associations(desk: Desk, version: str, *, dated: bool) -> Iterator[Way]:
    one = desk.associations
    read, write = "objects.read", "objects.write"
    for base in (f"/crm/associations/{version}",) if dated else ("/crm/v4/associations", "/crm/associations/v4"):
        pair = f"{base}/{{from}}/{{to}}"
        yield Way("POST", f"{pair}/batch/read", partial(one.batch_read, version=version), read)
        yield Way("GET", f"{pair}/labels", one.labels, read)
        yield Way("POST", f"{pair}/batch/create", one.batch_create, write)
        yield Way("POST", f"{pair}/batch/archive", one.batch_archive, write)
        yield Way("POST", f"{pair}/batch/labels/archive", one.batch_unlabel, write)
        yield Way("POST", f"{pair}/batch/associate/default", one.batch_default, write)
    base = f"/crm/objects/{version}" if dated else "/crm/v4/objects"
    row = f"{base}/{{type}}/{{id}}/associations"
    if version != "2026-09":  # its description no longer has the single read: batch read serves
        yield Way("GET", f"{row}/{{to}}", one.read, read)
    yield Way("PUT", f"{row}/{{to}}/{{to_id}}", one.put, write)
    yield Way("DELETE", f"{row}/{{to}}/{{to_id}}", one.delete, write)
    yield Way("PUT", f"{row}/default/{{to}}/{{to_id}}", one.put_default, write)


def _splits(desk: Desk, version: str, *, dated: bool) -> Iterator[Way]:
    numbered = ("/crm/v3/objects/deals/splits", "/crm/objects/v3/deals/splits")
    for base in (f"/deal-splits/{version}",) if dated else numbered:
        scope = "crm.dealsplits.read_write"
        yield Way("POST", f"{base}/batch/read", partial(desk.splits.read, version=version), scope)
        yield Way("POST", f"{base}/batch/upsert", desk.splits.upsert, scope)


def _schemas(desk: Desk, version: str, *, dated: bool) -> Iterator[Way]:
    one = desk.schemas
    dated_bases = (f"/crm-object-schemas/{version}/schemas", f"/crm/schemas/{version}")
    for base in dated_bases if dated else ("/crm/v3/schemas", "/crm-object-schemas/v3/schemas"):
        yield Way("GET", base, one.list_all, "crm.schemas.custom.read")
        yield Way("POST", base, one.create, "crm.schemas.custom.write")
        yield Way("GET", f"{base}/{{type}}", one.read, "crm.schemas.custom.read")
        yield Way("DELETE", f"{base}/{{type}}", one.archive, "crm.schemas.custom.write")


def _oauth(desk: Desk, version: str) -> Iterator[Way]:
    base = f"/oauth/{version}/token"
    yield Way("POST", base, partial(desk.tokens.token, version=version))
    yield Way("POST", f"{base}/introspect", desk.tokens.introspect)
    yield Way("POST", f"{base}/revoke", desk.tokens.revoke)


def _oauth_v1(desk: Desk) -> Iterator[Way]:
    yield Way("POST", "/oauth/v1/token", partial(desk.tokens.token, version="v1"))
    yield Way("GET", "/oauth/v1/access-tokens/{token}", desk.tokens.access_token_v1)
    yield Way("GET", "/oauth/v1/refresh-tokens/{token}", desk.tokens.refresh_token_v1)
    yield Way("DELETE", "/oauth/v1/refresh-tokens/{token}", desk.tokens.delete_refresh_token_v1)
