"""Option values: labels of picklists and states, and which state each status belongs to (vendor page 2)."""

OPTIONS: dict[str, dict[int, str]] = {
    "statecode": {0: "Active", 1: "Inactive"},
    "opportunity.statecode": {0: "Open", 1: "Won", 2: "Lost"},
    "opportunity.statuscode": {1: "In Progress", 2: "On Hold", 3: "Won", 4: "Canceled", 5: "Out-Sold"},
    "salesstage": {0: "Qualify", 1: "Develop", 2: "Propose", 3: "Close"},
    "salesstagecode": {1: "Default Value"},
    "opportunityratingcode": {1: "Hot", 2: "Warm", 3: "Cold"},
    "opportunity.prioritycode": {1: "Default Value"},
    "purchasetimeframe": {0: "Immediate", 1: "This Quarter", 2: "Next Quarter", 3: "This Year", 4: "Unknown"},
    "purchaseprocess": {0: "Individual", 1: "Committee", 2: "Unknown"},
    "need": {0: "Must have", 1: "Should have", 2: "Good to have", 3: "No need"},
    "timeline": {0: "Immediate", 1: "This Quarter", 2: "Next Quarter", 3: "This Year", 4: "Not known"},
    "initialcommunication": {0: "Contacted", 1: "Not Contacted"},
    "budgetstatus": {0: "No Committed Budget", 1: "May Buy", 2: "Can Buy", 3: "Will Buy"},
    "msdyn_forecastcategory": {
        100000001: "Pipeline", 100000002: "Best case", 100000003: "Committed", 100000004: "Omitted", 100000005: "Won",
        100000006: "Lost",
    },
    "msdyn_opportunitygrade": {0: "Grade A", 1: "Grade B", 2: "Grade C", 3: "Grade D"},
    "msdyn_opportunityscoretrend": {0: "Improving", 1: "Steady", 2: "Declining", 3: "Not enough info"},
    "prioritycode": {0: "Low", 1: "Normal", 2: "High"},
    "instancetypecode": {
        0: "Not Recurring", 1: "Recurring Master", 2: "Recurring Instance", 3: "Recurring Exception",
        4: "Recurring Future Exception",
    },
    "phonecall.statecode": {0: "Open", 1: "Completed", 2: "Canceled"},
    "phonecall.statuscode": {1: "Open", 2: "Made", 3: "Canceled", 4: "Received"},
    "appointment.statecode": {0: "Open", 1: "Completed", 2: "Canceled", 3: "Scheduled"},
    "appointment.statuscode": {
        1: "Free", 2: "Tentative", 3: "Completed", 4: "Canceled", 5: "Busy", 6: "Out of Office",
    },
    "task.statecode": {0: "Open", 1: "Completed", 2: "Canceled"},
    "task.statuscode": {
        2: "Not Started", 3: "In Progress", 4: "Waiting on someone else", 5: "Completed", 6: "Canceled", 7: "Deferred",
    },
    "email.statecode": {0: "Open", 1: "Completed", 2: "Canceled"},
    "email.statuscode": {
        1: "Draft", 2: "Completed", 3: "Sent", 4: "Received", 5: "Canceled", 6: "Pending Send", 7: "Sending", 8: "Failed",
    },
    "opportunityclose.statecode": {0: "Open", 1: "Completed", 2: "Canceled"},
    "opportunityclose.statuscode": {1: "Open", 2: "Completed", 3: "Canceled"},
    "activitypointer.statecode": {0: "Open", 1: "Completed", 2: "Canceled", 3: "Scheduled"},
    "activitypointer.statuscode": {1: "Open", 2: "Completed", 3: "Canceled", 4: "Scheduled"},
    "goal.statuscode": {0: "Open", 1: "Closed", 2: "Discarded"},
    "goal.fiscalperiod": {
        1: "Quarter 1", 2: "Quarter 2", 3: "Quarter 3", 4: "Quarter 4", 101: "January", 102: "February", 103: "March",
        104: "April", 105: "May", 106: "June", 107: "July", 108: "August", 109: "September", 110: "October",
        111: "November", 112: "December", 201: "Semester 1", 202: "Semester 2", 301: "Annual",
    },
    "amountdatatype": {0: "Money", 1: "Decimal", 2: "Integer"},
    "accessmode": {
        0: "Read-Write", 1: "Administrative", 2: "Read", 3: "Support User", 4: "Non-interactive", 5: "Delegated Admin",
    },
    "stagecategory": {
        0: "Qualify", 1: "Develop", 2: "Propose", 3: "Close", 4: "Identify", 5: "Research", 6: "Resolve", 7: "Approval",
    },
    "opportunitysalesprocess.statuscode": {1: "Active", 2: "Finished", 3: "Aborted"},
    "participationtypemask": {
        1: "Sender", 2: "To Recipient", 3: "CC Recipient", 4: "BCC Recipient", 5: "Required attendee",
        6: "Optional attendee", 7: "Organizer", 8: "Regarding", 9: "Owner", 10: "Resource", 11: "Customer",
    },
    "audit.operation": {1: "Create", 2: "Update", 3: "Delete", 4: "Access"},
    "audit.action": {1: "Create", 2: "Update", 3: "Delete", 13: "Assign", 41: "Set State", 44: "Win", 45: "Lose"},
    "incident.statecode": {0: "Active", 1: "Resolved", 2: "Canceled"},
    "incident.statuscode": {1: "In Progress", 5: "Problem Solved", 6: "Canceled"},
    "customersatisfactioncode": {
        5: "Very Satisfied", 4: "Satisfied", 3: "Neutral", 2: "Dissatisfied", 1: "Very Dissatisfied",
    },
    "industrycode": {
        1: "Accounting", 2: "Agriculture and Non-petrol Natural Resource Extraction", 3: "Broadcasting Printing and Publishing",
        4: "Brokers", 7: "Consulting", 8: "Consumer Services", 12: "Durable Manufacturing", 15: "Financial",
    },
    "customertypecode": {
        1: "Competitor", 2: "Consultant", 3: "Customer", 8: "Prospect", 9: "Reseller", 10: "Supplier", 11: "Vendor",
        12: "Other",
    },
    "accountcategorycode": {1: "Preferred Customer", 2: "Standard"},
    "teamtype": {0: "Owner", 1: "Access", 2: "Security Group", 3: "Office Group"},
    "connectionrole.category": {1: "Business", 2: "Family", 3: "Social", 4: "Sales", 5: "Other", 1000: "Sales Team"},
    "invoice.statecode": {0: "Active", 1: "Closed (deprecated)", 2: "Paid", 3: "Canceled"},
    "invoice.statuscode": {
        1: "New", 2: "Partially Shipped", 3: "Canceled (deprecated)", 4: "Billed", 5: "Booked (applies to services)",
        6: "Installed (applies to services)", 7: "Paid in Full (deprecated)", 100001: "Complete", 100002: "Partial",
        100003: "Canceled",
    },
    "paymenttermscode": {1: "Net 30", 2: "2% 10, Net 30", 3: "Net 45", 4: "Net 60"},
    "new_payment.new_kind": {100000000: "invoice", 100000001: "payment", 100000002: "refund"},
    "workflow.category": {0: "Workflow", 4: "Business Process Flow", 5: "Modern Flow"},
    "workflow.statecode": {0: "Draft", 1: "Activated"},
    "workflow.statuscode": {1: "Draft", 2: "Activated"},
}  # fmt: skip
"""Labels by value, by ``table.column`` or, where tables agree, by column."""

STATES: dict[str, dict[int, int]] = {
    "opportunity": {1: 0, 2: 0, 3: 1, 4: 2, 5: 2},
    "phonecall": {1: 0, 2: 1, 4: 1, 3: 2},
    "appointment": {1: 0, 2: 0, 3: 1, 4: 2, 5: 3, 6: 3},
    "task": {2: 0, 3: 0, 4: 0, 7: 0, 5: 1, 6: 2},
    "email": {1: 0, 8: 0, 2: 1, 3: 1, 4: 1, 6: 1, 7: 1, 5: 2},
    "opportunityclose": {1: 0, 2: 1, 3: 2},
    "activitypointer": {1: 0, 2: 1, 3: 2, 4: 3},
    "goal": {0: 0, 1: 1, 2: 1},
    "opportunitysalesprocess": {1: 0, 2: 1, 3: 1},
    "incident": {1: 0, 5: 1, 6: 2},
    "invoice": {1: 0, 2: 0, 4: 0, 5: 0, 6: 0, 3: 1, 7: 1, 100001: 2, 100002: 2, 100003: 3},
    "workflow": {1: 0, 2: 1},
}
"""The state of each status value."""
