"""Invoices of Sales, and the tables that the simulated company made for what has no standard one. Notation as in
``_tables_sales``; a date column with ``(day)`` shows days and keeps moments, as the maker's portal makes them unless told.
"""

OWN: tuple[tuple[str, str], ...] = (
    (
        "invoice invoices invoiceid 1090 owned | Invoice | name",
        """
string: name(300) invoicenumber(100)
datetime: datedelivered(day)
date: duedate
money: totalamount totalamountlessfreight totaltax totallineitemamount discountamount freightamount
decimal: discountpercentage(0..100) exchangerate
customer: customerid>account,contact
lookup: opportunityid>opportunity salesorderid>salesorder pricelevelid>pricelevel
lookup: transactioncurrencyid>transactioncurrency
bool: ispricelocked
picklist: paymenttermscode
state: statecode
status: statuscode
""",
    ),
    (
        "new_payment new_payments new_paymentid 10201 owned | Payment | new_name",
        """
string: new_name(100)
lookup: new_opportunity>opportunity transactioncurrencyid>transactioncurrency
money: new_amount
date: new_paidon
picklist: new_kind
decimal: exchangerate
state: statecode
status: statuscode
""",
    ),
    (
        "new_contract new_contracts new_contractid 10202 owned | Contract | new_name",
        """
string: new_name(100)
lookup: new_account>account transactioncurrencyid>transactioncurrency
money: new_recurringamount
date: new_starton new_endon
decimal: exchangerate
state: statecode
status: statuscode
""",
    ),
    (
        "new_forecast new_forecasts new_forecastid 10203 owned | Forecast | new_name",
        """
string: new_name(100) new_layer(20) new_category(50)
memo: new_reason
lookup: transactioncurrencyid>transactioncurrency
money: new_amount
date: new_periodstart new_periodend
datetime: new_saidon
decimal: exchangerate
state: statecode
status: statuscode
""",
    ),
    (
        "new_absence new_absences new_absenceid 10204 owned untracked | Absence | new_name",
        """
string: new_name(100)
lookup: new_person>systemuser
datetime: new_starton(day) new_endon(day)
bool: new_paid
state: statecode
status: statuscode
""",
    ),
    (
        "new_rating new_ratings new_ratingid 10205 owned untracked | Rating | new_name",
        """
string: new_name(100) new_item(200)
memo: new_note
lookup: new_subject>systemuser new_rater>systemuser
decimal: new_rating
datetime: new_ratedon
state: statecode
status: statuscode
""",
    ),
)
"""Tables of money and people that stand beside the deals."""
