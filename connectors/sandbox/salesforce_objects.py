"""The standard objects of an emulated org: the fields of crm guide section 2.1 and what writing them needs.

A header line is ``Object prefix audit [setup] [fixed] [kept]`` (``fixed``: not writable by API, ``kept``: never
deleted); a field line is ``Name type(size)>Parent flags``: ``ro`` not writable, ``fixed`` only on create, ``req``
required, ``nofilter`` not filterable, ``=A|B`` picklist values. Names and types: Salesforce Object Reference.
"""

from connectors.sandbox.salesforce_schema import ObjectType, audited, read_field

_OBJECTS = """
Organization 00D kept setup fixed kept
  Name string(80)
  IsSandbox boolean
  FiscalYearStartMonth int
  UsesStartDateAsFiscalYearName boolean
  TimeZoneSidKey picklist
  DefaultLocaleSidKey picklist
  LanguageLocaleKey picklist
  InstanceName string(5)
  OrganizationType picklist
  DefaultCurrencyIsoCode picklist
Profile 00e kept setup fixed kept
  Name string
UserRole 00E role setup
  Name string(80) req
  ParentRoleId reference>UserRole
  DeveloperName string(80)
User 005 kept setup kept
  Username string(80) req unique
  FirstName string(40)
  LastName string(80) req
  Name string(121) ro
  Email email(128) req
  IsActive boolean
  UserType picklist ro =Standard|PowerPartner|CsnOnly|Guest|CloudIntegrationUser|AutomatedProcess
  UserRoleId reference>UserRole
  ProfileId reference>Profile
  ManagerId reference>User
  Title string(80)
  Department string(80)
  Division string(80)
  EmployeeNumber string(20)
  TimeZoneSidKey picklist
  ForecastEnabled boolean
  DefaultCurrencyIsoCode picklist
RecordType 012 kept setup fixed kept
  Name string(80)
  DeveloperName string(80)
  SobjectType picklist
  BusinessProcessId id
  IsActive boolean
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
OpportunityStage 01J kept setup fixed kept
  MasterLabel string(255)
  ApiName string(255)
  IsActive boolean
  SortOrder int
  IsClosed boolean
  IsWon boolean
  ForecastCategory picklist
  ForecastCategoryName picklist
  DefaultProbability percent(3,0)
  Description string(255)
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
OpportunitySplitType 1SM kept setup fixed kept
  DeveloperName string(80)
  MasterLabel string(80)
  IsActive boolean
  IsTotalValidated boolean
  SplitField picklist
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
ForecastingType 0Db stamp setup fixed kept
  DeveloperName string(80)
  MasterLabel string(80)
  IsActive boolean
  IsAmount boolean
  IsQuantity boolean
Period 026 stamp setup fixed kept
  FiscalYearSettingsId id
  Type picklist
  StartDate date
  EndDate date
  IsForecastPeriod boolean
  Number int
  FullyQualifiedLabel string(200)
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
CurrencyType 01L kept setup kept
  IsoCode picklist req
  ConversionRate double(18,6) req
  DecimalPlaces int req
  IsActive boolean
  IsCorporate boolean ro
DatedConversionRate 04w kept setup
  IsoCode picklist req
  ConversionRate double(18,6) req
  StartDate date req
  NextStartDate date ro
PermissionSet 0PS kept setup
  Name string(80) req
  Label string(80) req
  Description string(255)
  IsOwnedByProfile boolean ro
  IsCustom boolean ro
PermissionSetAssignment 0Pa stamp setup
  PermissionSetId reference>PermissionSet req fixed
  AssigneeId reference>User req fixed
FieldPermissions 01k stamp setup
  ParentId reference>PermissionSet req fixed
  SobjectType picklist req fixed
  Field picklist req fixed
  PermissionsRead boolean
  PermissionsEdit boolean
ObjectPermissions 110 stamp setup
  ParentId reference>PermissionSet req fixed
  SobjectType picklist req fixed
  PermissionsRead boolean
  PermissionsCreate boolean
  PermissionsEdit boolean
  PermissionsDelete boolean
  PermissionsViewAllRecords boolean
  PermissionsModifyAllRecords boolean
"""

MULTI_CURRENCY = frozenset(
    {
        "User", "Account", "Contact", "Opportunity", "OpportunityHistory", "OpportunityLineItem", "OpportunitySplit",
        "OpportunityTeamMember", "ForecastingQuota", "Product2", "Task", "Event", "Case", "OpportunityContactRole",
    }
)  # fmt: skip
"""Objects that have CurrencyIsoCode in an org with more than one currency."""


def standard_objects() -> dict[str, ObjectType]:
    """A fresh copy of every standard object, by name."""
    found: dict[str, ObjectType] = {}
    current: ObjectType | None = None
    for line in _OBJECTS.strip().splitlines():
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
