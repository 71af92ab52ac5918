"""What every environment has before anybody works in it: organization, base currency, our user, messages, roles."""

from decimal import Decimal

from connectors.sandbox.dynamics.ids import guid
from connectors.sandbox.dynamics.store import Org, Row

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CNY": "¥", "CHF": "CHF "}
MESSAGES = ("CreateMultiple", "UpdateMultiple", "UpsertMultiple")


BEGINNING = "2020-01-01T00:00:00Z"
"""When the environment was made."""


def put(org: Org, table: str, row: Row) -> Row:
    """Keeps a row of the set-up, with what every row has."""
    given = {key: value for key, value in row.items() if value is not None}
    columns = org.tables[table].columns
    if "createdon" in columns:
        given.setdefault("createdon", BEGINNING)
    if "modifiedon" in columns:
        given.setdefault("modifiedon", BEGINNING)
        given.setdefault("_createdby_value", org.user_id)
        given.setdefault("_modifiedby_value", org.user_id)
    return org.put(table, given)


def fill_defaults(org: Org, currency: str, expire_days: int) -> None:
    """Puts in what is there without a world."""
    org.organization_id, org.unit_id = guid("organization", "sandbox"), guid("businessunit", "sandbox")
    org.user_id = guid("systemuser", "application")
    org.base_currency_id = add_currency(org, currency, Decimal(1))
    put(org, "organization", {
        "organizationid": org.organization_id, "name": "sandbox", "localeid": 1033, "languagecode": 1033,
        "expirechangetrackingindays": expire_days, "_basecurrencyid_value": org.base_currency_id,
        "fiscalcalendarstart": "2020-01-01T00:00:00Z", "isauditenabled": org.auditing,
    })  # fmt: skip
    put(org, "businessunit", {"businessunitid": org.unit_id, "name": "sandbox", "isdisabled": False})
    _users(org)
    put(org, "publisher", {
        "publisherid": guid("publisher", "default"), "uniquename": "DefaultPublishersandbox",
        "friendlyname": "Default Publisher for sandbox", "customizationprefix": "new",
        "customizationoptionvalueprefix": 10000,
    })  # fmt: skip
    put(org, "solution", {
        "solutionid": guid("solution", "default"), "uniquename": "Default", "friendlyname": "Default Solution",
        "version": "1.0", "ismanaged": False, "_publisherid_value": guid("publisher", "default"),
    })  # fmt: skip
    _messages(org)
    for name in ("Sales Professional", "Sales Opportunity"):
        put(org, "connectionrole", {"connectionroleid": guid("connectionrole", name), "name": name, "category": 1000})
    put(org, "metric", {
        "metricid": guid("metric", "bookings"), "name": "bookings", "isamount": True, "amountdatatype": 0, "statecode": 0,
        "statuscode": 0, "isstretchtracked": False,
    })  # fmt: skip
    add_rollup(org, "bookings", "actualmoney", "actualvalue")


def add_rollup(org: Org, metric: str, goal_attribute: str, source: str) -> None:
    """Says what a metric counts: a column of won opportunities by their close date."""
    put(org, "rollupfield", {
        "rollupfieldid": guid("rollupfield", metric), "goalattribute": goal_attribute, "sourceattribute": source,
        "sourceentity": "opportunity", "sourcestate": 1, "dateattribute": "actualclosedate",
        "entityfordateattribute": "opportunity", "isstatefield": True, "_metricid_value": guid("metric", metric),
    })  # fmt: skip


def add_currency(org: Org, code: str, rate: Decimal | None) -> str:
    """A currency: its id. Without a rate it is inactive."""
    currency_id = guid("currency", code)
    put(org, "transactioncurrency", {
        "transactioncurrencyid": currency_id, "isocurrencycode": code, "currencyname": code,
        "currencysymbol": SYMBOLS.get(code, f"{code} "), "currencyprecision": 0 if code == "JPY" else 2,
        "exchangerate": rate, "statecode": 1 if rate is None else 0, "statuscode": 2 if rate is None else 1,
    })  # fmt: skip
    return currency_id


def _users(org: Org) -> None:
    """Our application user, and the two users of the platform, who are nobody in Entra ID."""
    shared = {"_businessunitid_value": org.unit_id, "isdisabled": False, "islicensed": False, "invitestatuscode": 0}
    put(org, "systemuser", {
        **shared, "systemuserid": org.user_id, "fullname": "# Appraisal", "lastname": "# Appraisal", "accessmode": 4,
        "applicationid": guid("application", "sandbox"), "azureactivedirectoryobjectid": guid("entra", "application"),
    })  # fmt: skip
    for name in ("SYSTEM", "INTEGRATION"):
        put(org, "systemuser", {
            **shared, "systemuserid": guid("systemuser", name), "fullname": name, "lastname": name, "accessmode": 3,
            "isdisabled": name == "SYSTEM",
        })  # fmt: skip


def _messages(org: Org) -> None:
    for message in MESSAGES:
        put(org, "sdkmessage", {"sdkmessageid": guid("sdkmessage", message), "name": message})
        for table in org.tables.values():
            if message in table.bulk:
                filter_id = guid("sdkmessagefilter", f"{message}/{table.name}")
                put(org, "sdkmessagefilter", {
                    "sdkmessagefilterid": filter_id, "primaryobjecttypecode": table.name,
                    "_sdkmessageid_value": guid("sdkmessage", message),
                })  # fmt: skip
