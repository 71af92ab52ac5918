"""Which scope a call needs: one of the alternatives of each group."""

_STANDARD = {
    "leads", "accounts", "contacts", "deals", "campaigns", "tasks", "cases", "events", "calls", "solutions", "products",
    "vendors", "pricebooks", "quotes", "salesorders", "purchaseorders", "invoices", "notes", "activities",
}  # fmt: skip
Groups = list[list[str]]


def module_scopes(module: str, right: str) -> list[str]:
    """Every scope that lets a caller do ``right`` (READ, CREATE, UPDATE, DELETE) with a module."""
    own = module if module.lower() in _STANDARD else "custom"
    return [
        f"ZohoCRM.modules.{own}.{right}", f"ZohoCRM.modules.{own}.ALL", f"ZohoCRM.modules.{right}", "ZohoCRM.modules.ALL",
    ]  # fmt: skip


def setting_scopes(what: str, right: str) -> list[str]:
    """Every scope that lets a caller do ``right`` with a setting."""
    return [f"ZohoCRM.settings.{what}.{right}", f"ZohoCRM.settings.{what}.ALL", "ZohoCRM.settings.ALL",
            f"ZohoCRM.settings.{right}"]  # fmt: skip


def needed(scope: str, module: str = "") -> Groups:
    """The groups that a route's scope word stands for: ``modules.READ``, ``settings.fields.READ``, ``bulk.CREATE``."""
    area, _, right = scope.rpartition(".")
    if scope == "":
        return []
    if area == "modules":
        return [module_scopes(module, right)]
    if area == "count":
        return [module_scopes(module, right), ["ZohoSearch.securesearch.READ"]]
    if area == "emails":
        return [["ZohoCRM.modules.emails.READ", "ZohoCRM.modules.emails.ALL", "ZohoCRM.modules.ALL"]]
    if area.startswith("settings."):
        return [setting_scopes(area.removeprefix("settings."), right)]
    if area == "coql":
        return [["ZohoCRM.coql.READ", "ZohoCRM.coql.ALL"]]
    if area == "files":
        return [["ZohoFiles.files.ALL", "ZohoFiles.files.CREATE"]]
    return [[f"ZohoCRM.{area}.{right}", f"ZohoCRM.{area}.ALL"]]


def covers(granted: frozenset[str], groups: Groups) -> bool:
    """Whether what a token has is enough. Scopes compare without regard to case."""
    have = {one.lower() for one in granted}
    return all(any(one.lower() in have for one in group) for group in groups)
