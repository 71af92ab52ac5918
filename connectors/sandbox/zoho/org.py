"""The org itself: its licence, its currencies, its fiscal year."""

from typing import Any

from connectors.sandbox.routing import Reply, Request
from connectors.sandbox.zoho.rows import SYMBOLS, Rows
from connectors.sandbox.zoho.store import Currency, Org
from connectors.sandbox.zoho.times import text_of

_NO_CENTS = {"JPY", "KRW"}
ORG_ID = 30000012345
"""``zgid``, what the upload host wants in ``X-CRM-ORG``."""


class OrgPages:
    """Handlers of ``/org`` and ``/settings/fiscal_year``."""

    def __init__(self, org: Org, rows: Rows, edition: str, kind: str) -> None:
        self.org = org
        self.rows = rows
        self.edition = edition
        self.kind = kind

    def show(self, request: Request) -> Reply:
        """``GET /org``."""
        code = self.org.currency
        licences = sum(row["status"] == "active" for row in self.org.tables["Users"].rows.values())
        nothing = dict.fromkeys(
            ("country", "photo_id", "city", "description", "street", "employee_count", "state", "fax", "zip", "website",
             "mobile", "phone", "zia_portal_id", "country_code", "mc_status"),
        )  # fmt: skip
        details = {
            "paid": self.edition != "free", "paid_type": self.edition, "paid_expiry": None, "trial_type": None,
            "trial_expiry": None, "users_license_purchased": licences, "portal_users_license_purchased": 0,
        }  # fmt: skip
        shown: dict[str, Any] = {
            **nothing, "id": str(self.org.ids.of("modules", "org")), "zgid": str(ORG_ID), "company_name": "Sandbox",
            "alias": "Sandbox", "domain_name": f"org{ORG_ID}", "type": self.kind, "time_zone": self.org.zone.key,
            "currency": code, "iso_code": code, "currency_symbol": SYMBOLS.get(code, code), "currency_locale": "en_GB",
            "license_details": details, "hierarchy_preferences": {"type": "Reporting_To_Hierarchy", "strictly_reporting": False},
            "primary_email": "sandbox@example.com", "primary_zuid": str(self.org.user)[-8:], "gapps_enabled": False,
            "created_time": text_of(self.org.now(), self.org.zone), "translation_enabled": False,
            "privacy_settings": False, "hipaa_compliance_enabled": False, "lite_users_enabled": False,
            "deletable_org_account": False,
        }  # fmt: skip
        return Reply(body={"org": [shown]})

    def currencies(self, request: Request) -> Reply:
        """``GET /org/currencies``; 204 where there is one currency only."""
        shown = [self._currency(one) for one in self.org.currencies.values()]
        return Reply(body={"currencies": shown}) if shown else Reply(204)

    def currency(self, request: Request, currency: str) -> Reply:
        """``GET /org/currencies/{id}``."""
        shown = [self._currency(one) for one in self.org.currencies.values() if str(one.id) == currency]
        return Reply(body={"currencies": shown}) if shown else Reply(204)

    def _currency(self, one: Currency) -> dict[str, Any]:
        user = self.rows.user(self.org.user)
        moment = text_of(one.modified, self.org.zone)
        return {
            "id": str(one.id), "iso_code": one.code, "name": f"{one.code} - {one.code}", "prefix_symbol": True,
            "symbol": SYMBOLS.get(one.code, one.code), "exchange_rate": f"{one.rate:.9f}", "is_base": one.is_base,
            "is_active": True, "created_by": user, "modified_by": user, "created_time": moment, "modified_time": moment,
            "format": {"decimal_separator": "Period", "thousand_separator": "Comma", "numeral_system": "International",
                       "decimal_places": "0" if one.code in _NO_CENTS else "2"},
        }  # fmt: skip

    def fiscal_year(self, request: Request) -> Reply:
        """``GET /settings/fiscal_year``: the calendar year."""
        year = {"id": str(self.org.ids.of("modules", "fiscal_year")), "calendar_type": "standard_fiscal_calendar",
                "start_month": "January", "display_based_on": "start_month", "start_date": None, "structure": None,
                "interval_display_option": None, "surplus_week": None, "past_surplus_weeks": None}  # fmt: skip
        return Reply(body={"fiscal_year": year})
