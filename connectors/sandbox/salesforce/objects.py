"""The standard objects of an emulated org: the fields of crm guide section 2.1 and what writing them needs.

A header line is ``Object prefix audit [setup] [fixed] [kept]`` (``fixed``: not writable by API, ``kept``: never
deleted); a field line is ``Name type(size)>Parent flags``: ``ro`` not writable, ``fixed`` only on create, ``req``
required, ``nofilter`` not filterable, ``=A|B`` picklist values. Names and types: Salesforce Object Reference.
"""

from connectors.sandbox.salesforce.objects_setup import SETUP
from connectors.sandbox.salesforce.schema import ObjectType, audited, read_field

_OBJECTS = """
Account 001 full
  MasterRecordId reference>Account ro
  Name string(255) req
  Type picklist
  ParentId reference>Account
  Industry picklist
  AnnualRevenue currency(18,0)
  NumberOfEmployees int
  BillingCountry string(80)
  Description textarea(32000) nofilter
  OwnerId reference>User
  LastActivityDate date ro
Contact 003 full
  AccountId reference>Account
  FirstName string(40)
  LastName string(80) req
  Name string(121) ro
  Email email(80)
  OwnerId reference>User
Opportunity 006 full
  AccountId reference>Account
  Name string(120) req
  Description textarea(32000) nofilter
  StageName picklist req
  Amount currency(18,2)
  Probability percent(3,0)
  ExpectedRevenue currency(18,2) ro
  CloseDate date req
  Type picklist
  NextStep string(255)
  LeadSource picklist
  IsClosed boolean ro
  IsWon boolean ro
  ForecastCategory picklist ro
  ForecastCategoryName picklist
  OwnerId reference>User
  RecordTypeId reference>RecordType
  LastActivityDate date ro
  LastStageChangeDate datetime ro
  FiscalQuarter int ro
  FiscalYear int ro
  Fiscal string(6) ro
  HasOpenActivity boolean ro
  HasOverdueTask boolean ro
  HasOpportunityLineItem boolean ro
OpportunityHistory 008 history fixed kept
  OpportunityId reference>Opportunity
  StageName picklist
  Amount currency(18,2)
  ExpectedRevenue currency(18,2)
  CloseDate date
  Probability percent(3,0)
  ForecastCategory picklist
OpportunityFieldHistory 017 log fixed kept
  OpportunityId reference>Opportunity
  Field picklist
  DataType picklist
  OldValue anyType nofilter
  NewValue anyType nofilter
OpportunityContactRole 00K full
  OpportunityId reference>Opportunity req fixed
  ContactId reference>Contact req fixed
  Role picklist
  IsPrimary boolean
Task 00T full
  WhoId reference>Contact
  WhatId reference>Opportunity|Account
  AccountId reference>Account ro
  OwnerId reference>User
  Subject string(255)
  Status picklist req
  Priority picklist req
  IsClosed boolean ro
  IsHighPriority boolean ro
  ActivityDate date
  TaskSubtype picklist fixed =Task|Email|ListEmail|Cadence|Call|LinkedIn
  CallType picklist =Internal|Inbound|Outbound
  CallDurationInSeconds int
  CallDisposition string(255)
  CallObject string(255)
  Description textarea(32000) nofilter
  CompletedDateTime datetime ro
  IsArchived boolean ro
Event 00U full
  WhoId reference>Contact
  WhatId reference>Opportunity|Account
  AccountId reference>Account ro
  OwnerId reference>User
  Subject string(255)
  StartDateTime datetime
  EndDateTime datetime
  ActivityDate date
  ActivityDateTime datetime
  IsAllDayEvent boolean
  DurationInMinutes int
  IsPrivate boolean
  IsGroupEvent boolean ro
  IsChild boolean ro
  GroupEventType picklist ro
  EventSubtype picklist fixed
  ShowAs picklist
  Description textarea(32000) nofilter
  IsArchived boolean ro
Case 500 full
  CaseNumber string(30) ro
  AccountId reference>Account
  ContactId reference>Contact
  OwnerId reference>User
  Subject string(255)
  Status picklist
  Priority picklist
  Origin picklist
  Type picklist
  Reason picklist
  IsClosed boolean ro
  ClosedDate datetime ro
  IsEscalated boolean
Product2 01t full
  Name string(255) req
  ProductCode string(255)
  Family picklist
  IsActive boolean
OpportunityLineItem 00k full
  OpportunityId reference>Opportunity req fixed
  Product2Id reference>Product2 fixed
  PricebookEntryId id fixed
  ProductCode string(255) ro
  Name string(376) ro
  Quantity double(12,2) req
  UnitPrice currency(18,2)
  ListPrice currency(18,2) ro
  TotalPrice currency(18,2)
  Discount percent(3,2)
  ServiceDate date
Contract 800 full
  AccountId reference>Account req
  ContractNumber string(30) ro
  Status picklist
  StartDate date
  EndDate date ro
  ContractTerm int
  OwnerId reference>User
OpportunitySplit 1SO full
  OpportunityId reference>Opportunity req fixed
  SplitOwnerId reference>User req
  SplitPercentage percent(3,2)
  SplitAmount currency(18,2)
  SplitTypeId reference>OpportunitySplitType req fixed
  SplitNote string(255)
OpportunityTeamMember 00q full
  OpportunityId reference>Opportunity req fixed
  UserId reference>User req fixed
  TeamMemberRole picklist
  OpportunityAccessLevel picklist
ForecastingQuota 0J9 kept
  QuotaOwnerId reference>User req
  QuotaAmount currency(18,2)
  QuotaQuantity double(18,2)
  IsAmount boolean ro
  IsQuantity boolean ro
  StartDate date req
  PeriodId reference>Period ro
  ForecastingTypeId reference>ForecastingType
  ProductFamily picklist
  Territory2Id id
ForecastingItem 0G3 stamp fixed kept
  OwnerId reference>User
  PeriodId reference>Period
  ForecastingTypeId id
  ParentForecastingItemId id
  ForecastCategoryName picklist
  ForecastingItemCategory picklist
  ForecastAmount currency(18,2)
  OwnerOnlyAmount currency(18,2)
  AmountWithoutAdjustments currency(18,2)
  AmountWithoutManagerAdjustment currency(18,2)
  AmountWithoutOwnerAdjustment currency(18,2)
  HasAdjustment boolean
  HasOwnerAdjustment boolean
  IsAmount boolean
  IsQuantity boolean
  IsUpToDate boolean
  ProductFamily picklist
  SubordinateOverrides int
"""

MULTI_CURRENCY = frozenset(
    {
        "User", "Account", "Contact", "Opportunity", "OpportunityHistory", "OpportunityLineItem", "OpportunitySplit",
        "OpportunityTeamMember", "Contract", "ForecastingQuota", "ForecastingItem", "Product2", "Task", "Event", "Case", "OpportunityContactRole",
    }
)  # fmt: skip
"""Objects that have CurrencyIsoCode in an org with more than one currency."""


def standard_objects() -> dict[str, ObjectType]:
    """A fresh copy of every standard object, by name."""
    found: dict[str, ObjectType] = {}
    current: ObjectType | None = None
    for line in (SETUP.strip() + _OBJECTS.rstrip()).splitlines():
        if line.startswith("  ") and current is not None:
            current.add(read_field(line))
            continue
        name, prefix, audit, *flags = line.split()
        current = found[name] = ObjectType(
            name, prefix, setup="setup" in flags, writable="fixed" not in flags, deletable="kept" not in flags
        )
        for one in audited(audit):
            current.add(one)
    return found
