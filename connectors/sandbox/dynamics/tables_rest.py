"""The tables around sales: people, currencies, processes, customization, audit. Notation as in ``_tables_sales``."""

REST: tuple[tuple[str, str], ...] = (
    (
        "systemuser systemusers systemuserid 8 audited | User | fullname",
        """
string: fullname(200) firstname(256) lastname(256) middlename(50) internalemailaddress(100) domainname(1024) title(128)
string: jobtitle(100) employeeid(100) mobilephone(64) address1_telephone1(64) disabledreason(500) new_region(100)
date: new_startedon new_endedon
picklist: accessmode invitestatuscode
bool: isdisabled islicensed
guid: azureactivedirectoryobjectid applicationid
lookup: businessunitid>businessunit parentsystemuserid>systemuser territoryid>territory
lookup: transactioncurrencyid>transactioncurrency
""",
    ),
    (
        "team teams teamid 9 | Team | name",
        """
string: name(160) emailaddress(100)
memo: description
picklist: teamtype
bool: isdefault
lookup: businessunitid>businessunit
""",
    ),
    (
        "teammembership teammemberships teammembershipid 23 bare slow fixed untracked | Team Membership | teammembershipid",
        "guid: systemuserid teamid\nbigint: versionnumber",
    ),
    (
        "businessunit businessunits businessunitid 10 untracked slow | Business Unit | name",
        "string: name(160)\nlookup: parentbusinessunitid>businessunit\nbool: isdisabled",
    ),
    ("territory territories territoryid 2013 | Territory | name", "string: name(200)\nlookup: managerid>systemuser"),
    (
        "transactioncurrency transactioncurrencies transactioncurrencyid 9105 | Currency | currencyname",
        """
string: isocurrencycode(5) currencyname(100) currencysymbol(13)
int: currencyprecision(0..4)
decimal: exchangerate
state: statecode
status: statuscode
""",
    ),
    (
        "opportunitysalesprocess opportunitysalesprocesses businessprocessflowinstanceid 953 | Opportunity Sales Process | name",
        """
string: name(200) traversedpath(1250)
datetime: activestagestartedon completedon
int: duration
state: statecode
status: statuscode
decimal: exchangerate
lookup: activestageid>processstage opportunityid>opportunity processid>workflow quoteid>quote salesorderid>salesorder
lookup: organizationid>organization transactioncurrencyid>transactioncurrency
""",
    ),
    (
        "processstage processstages processstageid 4724 bare untracked slow fixed | Process Stage | stagename",
        "string: stagename(100) primaryentitytypecode(64)\npicklist: stagecategory\nlookup: processid>workflow\nbigint: versionnumber",
    ),
    (
        "workflow workflows workflowid 4703 untracked slow owned | Process | name",
        "string: name(100) uniquename(256) primaryentity(64)\npicklist: category\nstate: statecode\nstatus: statuscode",
    ),
    (
        "connectionrole connectionroles connectionroleid 3231 | Connection Role | name",
        "string: name(100)\npicklist: category",
    ),
    (
        "activityparty activityparties activitypartyid 135 bare untracked slow fixed listed | Activity Party | partyid",
        """
lookup: activityid>activitypointer partyid>systemuser,account,contact,opportunity ownerid>systemuser resourcespecid>resourcespec
picklist: participationtypemask instancetypecode
string: addressused(320)
bool: ispartydeleted donotemail donotphone donotfax donotpostalmail
datetime: scheduledstart scheduledend
double: effort
bigint: versionnumber
""",
    ),
    (
        "audit audits auditid 4567 bare untracked slow fixed | Auditing | auditid",
        """
picklist: operation action
memo: attributemask(10000) changedata(1073741823)
string: useradditionalinfo(400)
entityname: objecttypecode
datetime: createdon
lookup: callinguserid>systemuser userid>systemuser regardingobjectid>opportunity,account objectid>opportunity,account,systemuser,contact
guid: transactionid
""",
    ),
    (
        "organization organizations organizationid 1019 untracked slow | Organization | name",
        """
string: name(160)
int: localeid languagecode expirechangetrackingindays(0..365)
lookup: basecurrencyid>transactioncurrency
datetime: fiscalcalendarstart
bool: isauditenabled
""",
    ),
    (
        "publisher publishers publisherid 7101 untracked slow | Publisher | friendlyname",
        "string: uniquename(256) friendlyname(256) customizationprefix(8)\nint: customizationoptionvalueprefix(10000..99999)",
    ),
    (
        "solution solutions solutionid 7100 untracked slow | Solution | friendlyname",
        "string: uniquename(65) friendlyname(256) version(256)\nbool: ismanaged\nlookup: publisherid>publisher",
    ),
    ("sdkmessage sdkmessages sdkmessageid 4606 bare untracked slow fixed | Message | name", "string: name(256)"),
    (
        "sdkmessagefilter sdkmessagefilters sdkmessagefilterid 4607 bare untracked slow fixed | Message Filter | primaryobjecttypecode",
        "entityname: primaryobjecttypecode\nlookup: sdkmessageid>sdkmessage",
    ),
    (
        "incident incidents incidentid 112 owned | Case | title",
        """
string: title(200) ticketnumber(100)
picklist: customersatisfactioncode
state: statecode
status: statuscode
customer: customerid>account,contact
lookup: accountid>account
""",
    ),
    (
        "msfp_surveyresponse msfp_surveyresponses activityid 10100 owned | Survey Response | subject",
        """
string: subject(400)
int: msfp_npsscore(0..10)
decimal: msfp_satisfactionscore
lookup: regardingobjectid>opportunity,account,contact
datetime: msfp_submitdate
state: statecode
status: statuscode
""",
    ),
)
"""Everything that is not a deal or an activity."""
