"""Which scopes a call needs: one of each group, by path."""

from collections.abc import Mapping, Sequence

from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.store import Table

Groups = Sequence[Sequence[str]]
"""A call needs at least one scope of every group."""

_SCHEMAS = ("deals", "companies", "contacts")


def needed(portal: Portal, spec: str, where: Mapping[str, str]) -> Groups:
    """The scopes for a route's ``spec``: an action on the types named in its path, or scopes as they are."""
    tables = [portal.store.table(where[name]) for name in ("type", "from", "to") if name in where]
    if spec == "objects.read":
        return [group for table in tables for group in _read(table)]
    if spec == "objects.write":
        return [table.kind.write_scopes for table in tables]
    if spec == "properties.read":
        return [_schema(table, "read") for table in tables]
    if spec == "properties.write":
        return [_schema(table, "write")[:1] for table in tables]
    if spec == "pipelines.read":
        return [(*table.kind.read_scopes, f"crm.schemas.{table.kind.plural}.read") for table in tables]
    if spec == "pipelines.write":
        return [(f"crm.schemas.{table.kind.plural}.write", *table.kind.write_scopes) for table in tables]
    return [spec.split("|")] if spec else []


def off(portal: Portal, switched_off: frozenset[str], spec: str, where: Mapping[str, str]) -> bool:
    """Whether the call is for a feature that this portal does not have."""
    names = {portal.store.table(where[name]).kind.plural for name in ("type", "from", "to") if name in where}
    features = {"crm.dealsplits.read_write": "splits", "settings.currencies.read": "currencies"}
    names.add(features.get(spec, "schemas" if spec.startswith("crm.schemas.custom") else ""))
    return bool(names & switched_off)


def _read(table: Table) -> Groups:
    groups = [table.kind.read_scopes]
    if table.kind.plural == "feedback_submissions":
        groups.append(("crm.objects.contacts.read",))
    return groups


def _schema(table: Table, action: str) -> Sequence[str]:
    if table.kind.plural in _SCHEMAS:
        return (f"crm.schemas.{table.kind.plural}.{action}", f"crm.objects.{table.kind.plural}.{action}")
    if table.kind.read_scopes == ("crm.objects.custom.read",):
        return (f"crm.schemas.custom.{action}",)
    return table.kind.read_scopes if action == "read" else table.kind.write_scopes


ALL_SCOPES = frozenset((
    "crm.objects.deals.read", "crm.objects.deals.write", "crm.objects.companies.read",
    "crm.objects.companies.write", "crm.objects.contacts.read", "crm.objects.contacts.write",
    "crm.objects.owners.read", "crm.objects.users.read", "crm.objects.users.write", "crm.objects.goals.read",
    "crm.objects.goals.write", "crm.objects.feedback_submissions.read", "crm.dealsplits.read_write",
    "crm.schemas.deals.read", "crm.schemas.deals.write", "crm.schemas.companies.read",
    "crm.schemas.companies.write", "crm.schemas.contacts.read", "crm.schemas.contacts.write",
    "crm.schemas.custom.read", "crm.schemas.custom.write", "crm.objects.custom.read",
    "crm.objects.custom.write", "crm.objects.line_items.read", "crm.objects.line_items.write",
    "crm.objects.products.read", "crm.objects.products.write", "tickets", "settings.currencies.read",
    "settings.users.read", "settings.users.teams.read", "crm.objects.invoices.read", "crm.objects.invoices.write",
    "crm.objects.commercepayments.read", "crm.objects.commercepayments.write", "crm.objects.subscriptions.read",
    "crm.objects.subscriptions.write", "crm.objects.forecasts.read",
))  # fmt: skip
"""Every scope that this portal can grant."""
