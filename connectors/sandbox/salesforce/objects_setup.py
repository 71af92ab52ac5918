"""The standard objects in which an emulated org is set up: people, stages, periods, currencies and rights.

Lines as in ``salesforce_objects``.
"""

SETUP = """
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
OpportunitySplitType 1SM kept setup fixed kept
  DeveloperName string(80)
  MasterLabel string(80)
  IsActive boolean
  IsTotalValidated boolean
  SplitField picklist
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
