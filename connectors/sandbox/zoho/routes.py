"""Every endpoint: method, path, the scope it needs, the version that brought it, and who answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.sandbox.routing import Reply
from connectors.sandbox.zoho.bulk_read import BulkRead
from connectors.sandbox.zoho.bulk_write import BulkWrite
from connectors.sandbox.zoho.coql_run import Coql
from connectors.sandbox.zoho.lists import Lists
from connectors.sandbox.zoho.org import OrgPages
from connectors.sandbox.zoho.paging import Pager
from connectors.sandbox.zoho.provision import Provision
from connectors.sandbox.zoho.related import Related
from connectors.sandbox.zoho.search import Search
from connectors.sandbox.zoho.settings import Settings
from connectors.sandbox.zoho.users import Users
from connectors.sandbox.zoho.writes import Writes

if TYPE_CHECKING:
    from connectors.sandbox.zoho import ZohoEmulator

OPEN = frozenset({"POST /oauth/v2/token", "POST /oauth/v2/token/revoke"})
VERSIONS = ("v2", "v2.1", "v3", "v4", "v5", "v6", "v7", "v8")


@dataclass(frozen=True, slots=True)
class Way:
    """One endpoint. ``since``: the first version that has it."""

    method: str
    path: str
    scope: str
    answer: Callable[..., Reply]
    since: float = 2


@dataclass(frozen=True, slots=True)
class Office:
    """All handlers of one org, and the endpoints at which they answer."""

    lists: Lists
    writes: Writes
    ways: Sequence[Way]


def open_office(emulator: "ZohoEmulator") -> Office:
    """Puts the handlers of an org together."""
    org, rows = emulator.org, emulator.rows
    lists = Lists(org, rows, Pager(org.now), emulator)
    lists.latest_first = emulator.latest_first
    writes = Writes(lists, emulator.changes, emulator)
    coql = Coql(lists, emulator, emulator.tokens.granted, emulator.coql_fields)
    read, write = BulkRead(lists, emulator, emulator.tokens.granted), BulkWrite(writes, emulator)
    read.polls = write.polls = emulator.bulk_polls
    ways = [
        _crm("POST", "/coql", "coql.READ", coql.query),
        _crm("GET", "/{module}/search", "modules.READ", Search(lists).search),
        *_records(lists, writes, Related(lists)),
        *_users(Users(lists, emulator.changes, emulator)),
        *_settings(Settings(org), Provision(org)),
        *_bulk(read, write),
        Way("GET", "/{version}/crm/{org}/bulk-write/{job}/{file}", "files.ALL", write.download),
        *_org(OrgPages(org, rows, emulator.edition, emulator.org_type)),
    ]
    return Office(lists, writes, ways)


def _crm(method: str, path: str, scope: str, answer: Callable[..., Reply], since: float = 2) -> Way:
    return Way(method, f"/crm/{{version}}{path}", scope, answer, since)


def _records(lists: Lists, writes: Writes, related: Related) -> list[Way]:
    return [
        _crm("GET", "/{module}", "modules.READ", lists.many),
        _crm("POST", "/{module}", "modules.CREATE", writes.insert),
        _crm("PUT", "/{module}", "modules.UPDATE", writes.update),
        _crm("DELETE", "/{module}", "modules.DELETE", writes.delete),
        _crm("POST", "/{module}/upsert", "modules.CREATE", writes.upsert),
        _crm("GET", "/{module}/deleted", "modules.READ", lists.deleted),
        _crm("GET", "/{module}/actions/count", "count.READ", lists.count),
        _crm("GET", "/{module}/{record}", "modules.READ", lists.single),
        _crm("PUT", "/{module}/{record}", "modules.UPDATE", writes.update_one),
        _crm("DELETE", "/{module}/{record}", "modules.DELETE", writes.delete_one),
        _crm("GET", "/{module}/{record}/Emails", "emails.READ", related.emails),
        _crm("GET", "/{module}/{record}/__timeline", "modules.READ", related.timeline, 3),
        _crm("GET", "/{module}/{record}/{related}", "modules.READ", related.many),
    ]


def _users(users: Users) -> list[Way]:
    return [
        _crm("GET", "/users", "users.READ", users.many),
        _crm("PUT", "/users", "users.UPDATE", users.update_many),
        _crm("GET", "/users/{user}", "users.READ", users.single),
        _crm("PUT", "/users/{user}", "users.UPDATE", users.update_one),
    ]


def _settings(settings: Settings, made: Provision) -> list[Way]:
    return [
        _crm("POST", "/settings/modules", "settings.modules.CREATE", made.create_modules, 8),
        _crm("POST", "/settings/fields", "settings.fields.CREATE", made.create, 6),
        _crm("PATCH", "/settings/fields", "settings.fields.UPDATE", made.update_many, 6),
        _crm("PATCH", "/settings/fields/{field}", "settings.fields.UPDATE", made.update, 6),
        _crm("DELETE", "/settings/fields/{field}", "settings.fields.DELETE", made.delete, 6),
        _crm("GET", "/settings/modules", "settings.modules.READ", settings.modules),
        _crm("GET", "/settings/modules/{name}", "settings.modules.READ", settings.module),
        _crm("GET", "/settings/fields", "settings.fields.READ", settings.fields),
        _crm("GET", "/settings/fields/{field}", "settings.fields.READ", settings.field),
        _crm("GET", "/settings/layouts", "settings.layouts.READ", settings.layouts),
        _crm("GET", "/settings/layouts/{layout}", "settings.layouts.READ", settings.layout),
        _crm("GET", "/settings/pipeline", "settings.pipeline.READ", settings.pipelines),
        _crm("GET", "/settings/pipeline/{pipeline}", "settings.pipeline.READ", settings.pipeline),
        _crm("GET", "/settings/related_lists", "settings.related_lists.READ", settings.related_lists),
        _crm("GET", "/settings/roles", "settings.roles.READ", settings.roles),
        _crm("GET", "/settings/profiles", "settings.profiles.READ", settings.profiles),
    ]


def _org(org: OrgPages) -> list[Way]:
    return [
        _crm("GET", "/org", "org.READ", org.show),
        _crm("GET", "/org/currencies", "settings.currencies.READ", org.currencies),
        _crm("GET", "/org/currencies/{currency}", "settings.currencies.READ", org.currency),
        _crm("GET", "/settings/fiscal_year", "settings.fiscal_year.READ", org.fiscal_year),
    ]


def _bulk(read: BulkRead, write: BulkWrite) -> list[Way]:
    bulk = "/crm/bulk/{version}"
    return [
        Way("POST", f"{bulk}/read", "bulk.READ", read.create),
        Way("GET", f"{bulk}/read/{{job}}", "bulk.READ", read.show),
        Way("GET", f"{bulk}/read/{{job}}/result", "bulk.READ", read.download),
        _crm("POST", "/upload", "files.ALL", write.upload),
        Way("POST", f"{bulk}/write", "bulk.CREATE", write.create),
        Way("GET", f"{bulk}/write/{{job}}", "bulk.CREATE", write.show),
    ]
