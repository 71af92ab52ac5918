"""What an organisation's amounts are in: several currencies with exchange rates, or one that no row names."""

from collections.abc import MutableMapping, Sequence
from typing import Any

import structlog

from connectors.errors import ContractError, ForbiddenError, RejectedError
from connectors.salesforce import soql
from connectors.salesforce.api import Answer, SalesforceApi
from connectors.salesforce.values import inverse, last_day

log = structlog.get_logger("connectors.salesforce")

CURRENCY = "CurrencyIsoCode"
"""The field that names a row's currency; there is none in an organisation with one currency."""

ALWAYS = "1970-01-01"
"""Day from which a rate without dates holds: Salesforce applies it to every date."""

_SOURCES = (
    ("DatedConversionRate", ("Id", "IsoCode", "ConversionRate", "StartDate", "NextStartDate")),
    ("CurrencyType", ("Id", "IsoCode", "ConversionRate")),
)
"""Where rates stand, the better place first."""

_CORPORATE = "corporate_currency"
_ONLY = "only_currency"


class Currencies:
    """Asked for once there are rows to name a currency for; ``learnt`` outlives the process."""

    def __init__(self, api: SalesforceApi, learnt: MutableMapping[str, str]) -> None:
        self._api = api
        self._learnt = learnt

    @property
    def known(self) -> bool:
        """Whether it is known if there are several."""
        return _CORPORATE in self._learnt

    def corporate(self, *, fresh: bool = False) -> str | None:
        """ISO code of the currency that rates are against; None in an organisation with one currency only."""
        if fresh or not self.known:
            query = "SELECT IsoCode, ConversionRate FROM CurrencyType WHERE IsCorporate = true"
            rows = list((_unless_absent(self._api, query) or {}).get("records", ()))
            if rows and rows[0]["ConversionRate"] != 1:
                raise ContractError("the corporate currency's ConversionRate is not 1: rates are not what they seem")
            self._learnt[_CORPORATE] = rows[0]["IsoCode"] if rows else ""
        return self._learnt[_CORPORATE] or None

    def only(self) -> str | None:
        """ISO code of the one currency of an organisation that has no other; None where it has, or does not say."""
        if _ONLY not in self._learnt:
            self._learnt[_ONLY] = self._default() or ""
        return self._learnt[_ONLY] or None

    def _default(self) -> str | None:
        try:
            features = self._api.rest("connect/organization")["features"]
        except (ForbiddenError, RejectedError) as error:
            log.warning("currency_unknown", reason=str(error))
            return None
        return None if features.get("multiCurrency") else features.get("defaultCurrencyIsoCode")

    def complete(self, rows: Sequence[dict[str, Any]]) -> None:
        """Names the currency of rows that were read without one."""
        if rows and CURRENCY not in rows[0] and self.corporate() is None:
            for row in rows:
                row[CURRENCY] = self.only()

    def rates(self) -> Answer | None:
        """The first page of the rates of every other currency; None where there is no other."""
        corporate = self.corporate(fresh=True)
        if corporate is None:
            return None
        where = [f"IsoCode != {soql.text(corporate)}"]
        answers = (_unless_absent(self._api, soql.select(columns, remote, where)) for remote, columns in _SOURCES)
        return next((answer for answer in answers if answer is not None), None)

    def add_rates(self, rows: Sequence[dict[str, Any]]) -> None:
        """What the mapping reads.

        ConversionRate is how many units of the currency one corporate unit buys: a rate says it the other way round.
        """
        for row in rows:
            row["@to"] = self.corporate()
            row["@rate"] = inverse(row["ConversionRate"])
            row["@on"] = row.get("StartDate") or ALWAYS
            row["@until"] = last_day(row.get("NextStartDate"))


def _unless_absent(api: SalesforceApi, query: str) -> Answer | None:
    try:
        return api.query(query)
    except RejectedError as error:
        if error.code == "INVALID_TYPE":  # the feature is off
            return None
        raise
