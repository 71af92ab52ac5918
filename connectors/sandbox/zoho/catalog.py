"""The standard modules of Zoho CRM with the fields that matter to a sales appraisal."""

from connectors.sandbox.zoho.schema import Module, read_fields

_SYSTEM = """
id bigid ro
Owner ownerlookup
Created_Time datetime ro
Modified_Time datetime ro
Created_By userlookup ro
Modified_By userlookup ro
Last_Activity_Time datetime ro
Tag text ro
Record_Status__s picklist ro [Available|Trash|Draft]
Locked__s boolean ro
Currency picklist
Exchange_Rate double
"""
_ACTIVITY = """
Who_Id lookup:Contacts
What_Id lookup:
Description textarea
"""

_MODULES: dict[str, tuple[Module, str]] = {
    "Leads": (Module("Leads", "Leads", "Lead", 11, "Last_Name"), """
Last_Name text !
First_Name text
Company text !
Email email
Phone phone
Lead_Source picklist
Lead_Status picklist
"""),
    "Accounts": (Module("Accounts", "Accounts", "Account", 12, "Account_Name"), """
Account_Name text !
Account_Number bigint
Account_Type picklist
Account_Site text
Industry picklist
Ownership picklist
Rating picklist
Annual_Revenue currency
Employees integer
Phone phone
Website website
Parent_Account lookup:Accounts
Territories text ro
Billing_Street text
Billing_City text
Billing_State text
Billing_Code text
Billing_Country text
Shipping_Street text
Shipping_City text
Shipping_State text
Shipping_Code text
Shipping_Country text
Description textarea
"""),
    "Contacts": (Module("Contacts", "Contacts", "Contact", 13, "Full_Name"), """
Last_Name text !
First_Name text
Full_Name text ro
Account_Name lookup:Accounts
Email email
Phone phone
"""),
    "Deals": (Module("Deals", "Deals", "Deal", 14, "Deal_Name"), """
Deal_Name text !
Amount currency
Closing_Date date
Stage picklist !
Pipeline picklist
Probability integer
Expected_Revenue currency ro
Account_Name lookup:Accounts
Contact_Name lookup:Contacts
Type picklist
Lead_Source picklist
Campaign_Source lookup:Campaigns
Next_Step text
Description textarea
Territory text ro
Reason_For_Loss__s picklist
Overall_Sales_Duration integer ro
Sales_Cycle_Duration integer ro
Lead_Conversion_Time integer ro
Change_Log_Time__s datetime ro
"""),
    "Campaigns": (Module("Campaigns", "Campaigns", "Campaign", 15, "Campaign_Name"), """
Campaign_Name text !
Status picklist
"""),
    "Calls": (Module("Calls", "Calls", "Call", 16, "Subject"), _ACTIVITY + """
Subject text !
Call_Type picklist ! [Outbound|Inbound|Missed]
Call_Start_Time datetime !
Call_Duration text
Call_Duration_in_seconds integer ro
Call_Purpose picklist
Call_Result picklist
Call_Agenda text
Outgoing_Call_Status picklist [Scheduled|Completed|Overdue|Cancelled]
Dialled_Number text ro
Caller_ID text ro
Scheduled_In_CRM picklist ro
Voice_Recording__s website ro
CTI_Entry boolean ro hidden
"""),
    "Events": (Module("Events", "Meetings", "Meeting", 17, "Event_Title"), _ACTIVITY + """
Event_Title text !
Start_DateTime datetime !
End_DateTime datetime !
All_day boolean
Venue text
Participants text hidden
Check_In_Time datetime ro
Check_In_Status text ro
Recurring_Activity text
"""),
    "Tasks": (Module("Tasks", "Tasks", "Task", 18, "Subject"), _ACTIVITY + """
Subject text !
Due_Date date
Status picklist [Not Started|Deferred|In Progress|Completed|Waiting for input]
Priority picklist [High|Highest|Low|Lowest|Normal]
Closed_Time datetime ro
Recurring_Activity text
"""),
    "Products": (Module("Products", "Products", "Product", 19, "Product_Name"), """
Product_Name text !
Product_Code text
Product_Active boolean
Unit_Price currency
Product_Category picklist
"""),
    "Quotes": (Module("Quotes", "Quotes", "Quote", 20, "Subject"), """
Subject text !
Deal_Name lookup:Deals
Account_Name lookup:Accounts
Quote_Stage picklist [Draft|Negotiation|Delivered|On Hold|Confirmed|Closed Won|Closed Lost]
Valid_Till date
Grand_Total currency ro
Quoted_Items subform:Quoted_Items ro hidden
"""),
    "Quoted_Items": (Module("Quoted_Items", "Quoted Items", "Quoted Item", 21, "id", "subform", writable=False), """
Parent_Id lookup:Quotes
Product_Name lookup:Products
Quantity double
List_Price currency
Total currency
Net_Total currency
Sequence_Number integer
"""),
    "Cases": (Module("Cases", "Cases", "Case", 22, "Subject"), """
Subject text !
Status picklist ! [New|On Hold|Escalated|Closed]
Case_Origin picklist ! [Email|Phone|Web]
Priority picklist [High|Medium|Low]
Case_Reason picklist
Deal_Name lookup:Deals
Account_Name lookup:Accounts
Related_To lookup:Contacts
Comments text hidden
"""),
    "DealHistory": (Module("DealHistory", "Stage History", "Stage History", 23, "Stage", "field_tracker",
                           writable=False, deletable=False), """
Potential_Name lookup:Deals
Stage picklist
Moved_To__s picklist
Amount currency
Probability integer
Expected_Revenue currency
Closing_Date date
"""),
    "Notes": (Module("Notes", "Notes", "Note", 24, "Note_Title"), """
Note_Title text
Note_Content textarea !
Parent_Id lookup:
"""),
    "Users": (Module("Users", "Users", "User", 10, "full_name", writable=False), ""),
}  # fmt: skip

_RELATED = {
    "Deals": (
        ("Notes", "Notes", "Notes"), ("Products", "Products", "Products"), ("Stage_History", "DealHistory", "Stage History"),
        ("Quotes", "Quotes", "Quotes"), ("Tasks", "Tasks", "Open Activities"), ("Events", "Events", "Meetings"),
        ("Calls", "Calls", "Calls"), ("Contact_Roles", "Contacts", "Contact Roles"), ("Emails", "Emails", "Emails"),
    ),
    "Accounts": (
        ("Notes", "Notes", "Notes"), ("Contacts", "Contacts", "Contacts"), ("Deals", "Deals", "Deals"),
        ("Tasks", "Tasks", "Open Activities"), ("Events", "Events", "Meetings"), ("Calls", "Calls", "Calls"),
        ("Emails", "Emails", "Emails"),
    ),
    "Contacts": (("Deals", "Deals", "Deals"), ("Emails", "Emails", "Emails")),
}  # fmt: skip

_USERS = """
id bigid ro
full_name text ro
first_name text
last_name text !
email email !
alias text
phone phone
mobile phone
country text
state text
city text
role lookup: !
profile lookup: !
Reporting_To userlookup
status picklist ro [active|inactive|deleted|disabled]
created_time datetime ro
Modified_Time datetime ro
"""


def standard_modules(duration_column: str, currencies: bool) -> dict[str, Module]:
    """Fresh standard modules. ``duration_column``: how this org's DealHistory spells a stage's days."""
    modules: dict[str, Module] = {}
    for number, (name, (plain, lines)) in enumerate(_MODULES.items(), start=1):
        module = Module(plain.name, plain.plural, plain.singular, plain.code, plain.name_field, plain.generated,
                        writable=plain.writable, deletable=plain.deletable, related=_RELATED.get(name, ()))  # fmt: skip
        for one in read_fields(_USERS if name == "Users" else _SYSTEM + lines):
            if currencies or one.name not in {"Currency", "Exchange_Rate"}:
                module.add(one)
        module.id = number
        if "Exchange_Rate" in module.fields:
            module.fields["Exchange_Rate"].decimals = 9
        modules[name] = module
    history = modules["DealHistory"]
    for name in ("Owner", "Tag", "Record_Status__s", "Locked__s", "Created_By", "Exchange_Rate"):
        history.fields.pop(name, None)
    for one in read_fields(f"{duration_column} integer ro"):
        history.add(one)
    for name in ("Calls", "Events", "Tasks", "Notes"):
        modules[name].fields.pop("Exchange_Rate", None)
        modules[name].fields.pop("Currency", None)
    return modules
