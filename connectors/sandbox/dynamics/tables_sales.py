"""The tables of sales: names, keys, object type codes and columns as the vendor's table references give them.

A line is ``name set key code [flags] | Title | display column``; the text lists columns by type, ``(300)`` a length,
``(0..100)`` a range, ``>account`` what a lookup points to. Flags: ``owned`` has an owner, ``untracked`` no change
tracking, ``audited``, ``slow`` no bulk messages, ``fixed`` read-only, ``bare`` no stamps, ``listed`` no reading by id.
"""

SALES: tuple[tuple[str, str], ...] = (
    (
        "opportunity opportunities opportunityid 3 owned audited | Opportunity | name",
        """
string: name(300) stepname(200) traversedpath(1250) emailaddress(100) new_externalid(100) new_product(100)
string: new_source(100) new_type(100) new_nextstep(400)
memo: description customerneed customerpainpoints currentsituation proposedsolution qualificationcomments quotecomments
memo: msdyn_scorereasons
money: estimatedvalue actualvalue budgetamount totalamount totalamountlessfreight totallineitemamount
money: totallineitemdiscountamount totaldiscountamount discountamount freightamount totaltax
decimal: discountpercentage(0..100) exchangerate
date: estimatedclosedate actualclosedate finaldecisiondate schedulefollowup_prospect schedulefollowup_qualify
date: scheduleproposalmeeting
int: closeprobability(0..100) onholdtime msdyn_opportunityscore
state: statecode
status: statuscode
picklist: salesstage salesstagecode opportunityratingcode prioritycode purchasetimeframe purchaseprocess need timeline
picklist: initialcommunication budgetstatus pricingerrorcode msdyn_forecastcategory msdyn_opportunitygrade
picklist: msdyn_opportunityscoretrend
bool: isrevenuesystemcalculated participatesinworkflow decisionmaker confirminterest evaluatefit developproposal
bool: presentproposal presentfinalproposal completeinternalreview completefinalproposal captureproposalfeedback
bool: identifycompetitors identifycustomercontacts identifypursuitteam pursuitdecision resolvefeedback filedebrief
bool: sendthankyounote
guid: stageid processid stepid
customer: customerid>account,contact
lookup: parentaccountid>account parentcontactid>contact originatingleadid>lead campaignid>campaign
lookup: pricelevelid>pricelevel transactioncurrencyid>transactioncurrency msdyn_predictivescoreid>msdyn_predictivescore
lookup: msdyn_opportunitykpiid>msdyn_opportunitykpiitem
datetime: lastonholdtime
""",
    ),
    (
        "account accounts accountid 1 owned audited | Account | name",
        """
string: name(160) accountnumber(20) sic(20) tickersymbol(10) stockexchange(20) websiteurl(200) emailaddress1(100)
string: telephone1(50) address1_city(80) address1_country(80)
memo: description
picklist: accountcategorycode accountclassificationcode accountratingcode businesstypecode customersizecode
picklist: customertypecode industrycode ownershipcode
int: numberofemployees(0..1000000000) sharesoutstanding(0..1000000000)
state: statecode
status: statuscode
money: revenue marketcap creditlimit aging30 aging60 aging90
decimal: exchangerate
bool: creditonhold merged donotemail donotphone participatesinworkflow
lookup: parentaccountid>account primarycontactid>contact masterid>account territoryid>territory
lookup: transactioncurrencyid>transactioncurrency preferredsystemuserid>systemuser
""",
    ),
    (
        "contact contacts contactid 2 owned audited | Contact | fullname",
        """
string: fullname(160) firstname(50) lastname(50) emailaddress1(100) telephone1(50) jobtitle(100)
customer: parentcustomerid>account,contact
state: statecode
status: statuscode
""",
    ),
    (
        "opportunityproduct opportunityproducts opportunityproductid 1083 owned | Opportunity Product | opportunityproductname",
        """
string: productdescription(500) opportunityproductname(500)
decimal: quantity exchangerate
money: priceperunit baseamount extendedamount manualdiscountamount tax
bool: isproductoverridden
lookup: opportunityid>opportunity productid>product transactioncurrencyid>transactioncurrency
""",
    ),
    (
        "product products productid 1024 | Product | name",
        """
string: name(100) productnumber(100)
state: statecode
status: statuscode
""",
    ),
    (
        "goal goals goalid 9600 owned | Goal | title",
        """
string: title(100) actualstring(100) inprogressstring(100) targetstring(100)
lookup: goalownerid>systemuser,team metricid>metric parentgoalid>goal transactioncurrencyid>transactioncurrency
money: actualmoney inprogressmoney targetmoney stretchtargetmoney customrollupfieldmoney computedtargetasoftodaymoney
decimal: actualdecimal inprogressdecimal targetdecimal stretchtargetdecimal computedtargetasoftodaydecimal
decimal: computedtargetasoftodaypercentageachieved percentage exchangerate
int: actualinteger inprogressinteger targetinteger stretchtargetinteger fiscalyear depth rolluperrorcode
picklist: amountdatatype fiscalperiod
state: statecode
status: statuscode
bool: isamount isfiscalperiodgoal isoverride isoverridden consideronlygoalownersrecords rolluponlyfromchildgoals
datetime: goalstartdate goalenddate lastrolledupdate
""",
    ),
    (
        "metric metrics metricid 9603 untracked slow | Goal Metric | name",
        """
string: name(100)
memo: description
picklist: amountdatatype
state: statecode
status: statuscode
bool: isamount isstretchtracked
""",
    ),
    (
        "rollupfield rollupfields rollupfieldid 9604 untracked slow | Rollup Field | goalattribute",
        """
string: sourceattribute(150) sourceentity(150) dateattribute(150) entityfordateattribute(150) goalattribute(150)
int: sourcestate sourcestatus
bool: isstatefield
lookup: metricid>metric
""",
    ),
    (
        "connection connections connectionid 3234 owned | Connection | name",
        """
string: name(500)
memo: description
lookup: record1id>opportunity,account,contact,systemuser record2id>opportunity,account,contact,systemuser
lookup: record1roleid>connectionrole record2roleid>connectionrole relatedconnectionid>connection
int: record1objecttypecode record2objecttypecode
decimal: new_percentage(0..100)
state: statecode
status: statuscode
bool: ismaster
datetime: effectivestart effectiveend
""",
    ),
)
"""Deals and what hangs on them."""

ACTIVITIES: tuple[tuple[str, str], ...] = (
    ("activitypointer activitypointers activityid 4200 owned untracked slow fixed | Activity | subject", ""),
    (
        "phonecall phonecalls activityid 4210 activity | Phone Call | subject",
        "string: phonenumber(200) category(250) subcategory(250)\nbool: directioncode\nguid: subscriptionid",
    ),
    (
        "appointment appointments activityid 4201 activity | Appointment | subject",
        "string: location(200) globalobjectid(300) category(250) subcategory(250)\nbool: isalldayevent",
    ),
    (
        "task tasks activityid 4212 activity | Task | subject",
        "string: category(250) subcategory(250)\nint: percentcomplete(0..100)\nguid: crmtaskassigneduniqueid",
    ),
    (
        "email emails activityid 4202 activity | Email | subject",
        """
string: sender(250) torecipients(500) messageid(320) conversationindex(2048) inreplyto(320) mimetype(256) category(250)
string: subcategory(250)
bool: directioncode deliveryreceiptrequested readreceiptrequested
int: attachmentcount opencount replycount linksclickedcount deliveryattempts
datetime: lastopenedtime delayedemailsendtime
lookup: parentactivityid>email
guid: conversationtrackingid
""",
    ),
    (
        "opportunityclose opportunitycloses activityid 4208 activity | Opportunity Close | subject",
        "money: actualrevenue\nstring: category(250) subcategory(250)\nlookup: opportunityid>opportunity competitorid>competitor",
    ),
)
"""Kinds of activities; ``activitypointer`` shows the rows of all of them."""
