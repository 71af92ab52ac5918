"""The entity types of ``c4codataapi`` that exist here: their properties, navigations and sets.

Names are SAP's, as public clients of the service spell them; Edm types are inferred from names and values, because SAP
publishes no copy of the metadata. A ``code`` has a code list and a read-only sibling ``<name>Text``.
"""

from collections.abc import Mapping

Kinds = Mapping[str, str]
"""Property names, blank separated, by kind: code, text, guid, date, moment, decimal, percent, flag, int."""

_PARTY = {
    "code": "RoleCode PartyTypeCode",
    "text": "PartyID PartyName",
    "flag": "MainIndicator",
    "guid": "PartyUUID",
}
_VERSIONED = {
    "code": "SalesCycleCode SalesCyclePhaseCode LifeCycleStatusCode SalesForecastCategoryCode",
    "text": "MainEmployeeResponsiblePartyID ExpectedRevenueAmountCurrencyCode CreatedBy",
    "decimal": "ProbabilityPercent ExpectedRevenueAmount",
    "date": "ExpectedProcessingEndDate",
    "moment": "CreationDateTime",
}
HISTORY_ENTITY = "OpportunityHistoricalVersion"

ENTITIES: Mapping[str, Kinds] = {
    "Opportunity": {
        "code": "ProcessingTypeCode PriorityCode OriginTypeCode LifeCycleStatusCode ExternalUserStatusCode ResultReasonCode "
        "SalesCycleCode SalesCyclePhaseCode SalesForecastCategoryCode GroupCode DistributionChannelCode DivisionCode "
        "PhaseProgressEvaluationStatusCode ConsistencyStatusCode ApprovalStatusCode",
        "text": "ID ExternalID Name ProspectPartyID ProspectPartyName PrimaryContactPartyID PrimaryContactPartyName "
        "ExpectedRevenueAmountCurrencyCode TotalExpectedNetAmountAmountCurrencyCode WeightedExpectedNetAmountCurrencyCode "
        "ProspectBudgetAmountCurrencyCode SalesUnitPartyID SalesUnityPartyName SalesOrganisationID SalesOrganisationName "
        "SalesOfficeID SalesOfficeName SalesGroupID SalesGroupName SalesTerritoryID SalesTerritoryName "
        "MainEmployeeResponsiblePartyID MainEmployeeResponsiblePartyName EndBuyerPartyID EndBuyerPartyName "
        "ProductRecepientPartyID ProductRecipientPartyName ApproverPartyID ApproverPartyName PayerPartyID PayerPartyName "
        "BillToPartyID BillToPartyName SellerPartyID SellerPartyName CreatedBy LastChangedBy BestConnectedColleague "
        "DealScoreReason LastEmailReceivedFrom LastEmailSentBy",
        "guid": "UUID CreatedByUUID LastChangedByUUID",
        "date": "ProcessStatusValidSinceDate SalesCyclePhaseStartDate ExpectedProcessingStartDate "
        "ExpectedProcessingEndDate ExpectedRevenueStartDate ExpectedRevenueEndDate CreationDate LastChangeDate",
        "moment": "CreationDateTime LastChangeDateTime LastDataHugSyncDateTime FirstEmailReceivedOn FirstEmailSentOn "
        "LastEmailReceivedOn LastEmailSentOn LastMeetingOn NextMeetingOn",
        "decimal": "ProbabilityPercent ExpectedRevenueAmount TotalExpectedNetAmount WeightedExpectedNetAmount "
        "ProspectBudgetAmount DealScore ExternalProbabilityPercent",
        "flag": "HeaderRevenueSchedule SalesRevenueForecastRelevanceIndicator AutoCreateContacts",
        "int": "Score NumberOfColleagues NumberOfMeetings NumberOfOtherPeopleAtCompany NumberOfReceivedEmails "
        "NumberOfSentEmails HugRank",
    },
    "OpportunityItem": {
        "text": "OpportunityID ID ProductCategoryID ProductID Description NetAmountCurrencyCode QuantityUnitCode",
        "decimal": "Quantity NetAmount",
    },
    "OpportunityParty": {**_PARTY, "text": "OpportunityID PartyID PartyName"},
    "OpportunitySalesTeamParty": {**_PARTY, "text": "OpportunityID PartyID PartyName"},
    "OpportunityHistoricalVersion": _VERSIONED,
    "OpportunityBusinessTransactionDocumentReference": {
        "code": "BusinessTransactionDocumentTypeCode BusinessTransactionDocumentRelationshipRoleCode",
        "text": "OpportunityID BusinessTransactionDocumentID",
        "guid": "BusinessTransactionDocumentUUID",
    },
    "Appointment": {
        "code": "DocumentType LifeCycleStatusCode StartDatetimeZoneCode EnddatetimeZoneCode Category Priority "
        "DistributionChannel Division InformationSensitivityCode DataOriginTypeCode AvailabilityCode VisitTypeCode "
        "CollaborationChannelCode CreatedBySSI",
        "text": "ID Subject OrganizerPartyID Owner PrimaryContact OwnerPartyID Account MainAccountPartyID "
        "MainContactPartyID Location SalesTerritoryID SalesTerritoryName SalesOrganisation AccountName "
        "AdditionalLocationName ChangedBy CreatedBy GroupwareItemID OrganizerEmailURI OrganizerName OrganizerPartyName "
        "OwnerName Phone PrimaryContactName RecurrenceActGroupwareID RecurringBusinessActivityNodeID CollaborationURL",
        "guid": "UUID OrganizerUUID SalesTerritoryUUID VisitTourPlanUUID",
        "date": "OccurrenceDate",
        "moment": "StartDate EndDate CreatedOn LastChangeDateTime ReportedDateTime",
        "percent": "CompletionPercent",
        "flag": "FullDayIndicator Draft",
    },
    "AppointmentInvolvedParties": {
        "code": "RoleCode RoleCategoryCode PartyTypeCode",
        "text": "ID PartyID Address EMail Name PartyEmailURI PartyName Phone",
        "flag": "MainIndicator",
        "guid": "PartyUUID",
        "moment": "StartDate",
    },
    "Tasks": {
        "code": "DocumentType Status StartDatetimeZoneCode DueDatetimeZoneCode Category PriorityCode "
        "DistributionChannelCode DivisionCode DataOriginTypeCode CreatedBySSI",
        "text": "ID Subject ActivityList PlannedDuration ActualDuration MainEmployeeResponsiblePartyID MainAccountPartyID "
        "MainContactPartyID ProcessorPartyID SalesTerritoryID SalesTerritoryName SalesOrganisationID Account Owner "
        "PrimaryContact Processor ProcessorEmailURI ProcessorPartyName ChangedBy",
        "guid": "UUID AccountUUID OwnerUUID PrimaryContactUUID ProcessorUUID",
        "moment": "StartDateTime DueDateTime CompletionDateTime ReportedDateTime CreatedOn LastChangeDateTime",
        "percent": "CompletionPercent",
    },
    "EMail": {
        "code": "Status Category PriorityCode DateTimetimeZoneCode TransmissionStatusCode Direction SentimentTypeCode "
        "DocumentType DataOriginTypeCode CreatedBySSI",
        "text": "ID Subject OwnerPartyID Account MainAccountPartyID PrimaryContact MainContactPartyID SalesTerritoryID "
        "SalesTerritoryName Campaign ResponseOption TicketID AccountName GroupwareItemID MessageFromEmailURI "
        "MessageFromName MessageFromPartyID MessageFromPartyName OwnerName PrimaryContactName",
        "guid": "UUID MessageFromPartyUUID OwnerUUID",
        "moment": "DateTime CreatedOn LastChangeDateTime",
    },
    "PhoneCall": {
        "code": "DocumentType LifeCycleStatusCode Category PriorityCode Direction DataOriginTypeCode",
        "text": "ID Subject OwnerPartyID OrganizerPartyID MainAccountPartyID MainContactPartyID AccountName OwnerName",
        "guid": "UUID OwnerUUID",
        "moment": "StartDate EndDate CreatedOn ReportedDateTime LastChangeDateTime",
    },
    "Activity": {
        "code": "ProcessingTypeCode PriorityCode TypeCode LifeCycleStatusCode InitiatorCode",
        "text": "ID SubjectName",
        "guid": "UUID",
        "date": "ReportedDate CreationDate",
        "moment": "ReportedDateTime",
    },
    "Employee": {
        "code": "TitleCode AcademicTitleCode GenderCode MaritalStatusCode LanguageCode NationalityCountryCode CountryCode "
        "RegionCode TimeZoneCode TaxJurisdictionCode UserPasswordPolicyCode POBoxCountryCode POBoxRegionCode",
        "text": "EmployeeID UserID GlobalUserID BusinessPartnerID BusinessPartnerFormattedName FirstName MiddleName "
        "LastName SecondLastName NickName BirthName BirthPlace FormattedPostalAddressDescription CareOfName "
        "AddressLine1 AddressLine2 HouseNumber Street AddressLine4 AddressLine5 District City DifferentCity PostalCode "
        "County CompanyPostalCode POBox POBoxPostalCode POBoxCity InhouseMail Building Floor Room OfficePhoneNumber NormalisedOfficePhoneNumber "
        "MobilePhoneNumber NormalisedMobilePhoneNumber FaxNumber Email CreatedBy ChangedBy",
        "guid": "UUID IdentityUUID CreatedByIdentityUUID ChangedByIdentityUUID",
        "date": "EmployeeValidityStartDate EmployeeValidityEndDate BirthDate UserValidityStartDate UserValidityEndDate",
        "moment": "CreatedOn ChangedOn",
        "flag": "UserLockedIndicator UserCountedIndicator",
    },
    "EmployeeOrganisationalUnitAssignment": {
        "code": "RoleCode",
        "text": "EmployeeID OrgUnitID JobID",
        "date": "StartDate EndDate",
    },
    "EmployeeSalesResponsibility": {
        "code": "DistributionChannelCode DivisionCode",
        "text": "EmployeeID SalesOrganisationID",
        "flag": "MainIndicator",
    },
    "BusinessUser": {
        "code": "DecimalFormatCode DateFormatCode TimeFormatCode TimeZoneCode LogonLanguageCode PasswordPolicyCode "
        "UserAccountTypeCode",
        "text": "EmployeeID UserID TechnicalUserID BusinessPartnerID BusinessPartnerFormattedName DepartmentName "
        "CompanyName ManagerName EmailURI UserCreatedBy UserChangedBy",
        "guid": "EmployeeUUID IdentityUUID",
        "date": "UserValidityStartDate UserValidityEndDate",
        "moment": "CreatedOn UserChangedOn",
        "flag": "UserLockedIndicator UserCountedIndicator PasswordInactiveIndicator PasswordLockedIndicator",
    },
    "CorporateAccount": {
        "code": "RoleCode LifeCycleStatusCode LegalFormCode CustomerABCClassificationCode NielsenRegionCode "
        "IndustrialSectorCode ContactPermissionCode CountryCode StateCode TimeZoneCode LanguageCode BestReachedByCode "
        "OrderBlockingReasonCode DeliveryBlockingReasonCode BillingBlockingReasonCode POBoxDeviatingCountryCode "
        "POBoxDeviatingRegionCode",
        "text": "AccountID ExternalID ExternalSystem DUNSID BusinessPartnerFormattedName Name AdditionalName "
        "AdditionalName2 AdditionalName3 FormattedPostalAddressDescription CareOfName AddressLine1 AddressLine2 "
        "HouseNumber AdditionalHouseNumber Street AddressLine4 AddressLine5 District City DifferentCity CompanyPostalCode "
        "POBox POBoxPostalCode POBoxDeviatingCity StreetPostalCode County Building Floor Room Phone NormalisedPhone Mobile NormalisedMobile Fax Email WebSite "
        "RecommendedVisitingFrequency VisitDuration OwnerID ParentAccountID CreatedBy ChangedBy",
        "guid": "UUID CurrentDefaultAddressUUID OwnerUUID CreatedByIdentityUUID ChangedByIdentityUUID",
        "date": "LastVisitingDate NextVisitingDate LatestRecommendedVisitingDate",
        "moment": "CreationOn ChangedOn",
        "flag": "POBoxIndicator SalesSupportBlockingIndicator LegalCompetenceIndicator",
    },
    "SurveyResponseRoot": {"text": "ID", "moment": "SurveyCreationDate"},
    "SurveyValuation": {
        "code": "BusinessTransactionDocumentTypeCode LifeCycleStatusCode",
        "text": "ID Version BusinessTransactionDocumentID ProcessorID RepresentationBinaryObject "
        "ValuationCollectionLastChangedBy",
        "guid": "BusinessTransactionDocumentUUID ProcessorUUID DesignTimeVersionUUID SignatureUUID TransactionDocumentUUID",
        "flag": "RepresentationBinaryObjectResponseIndicator",
    },
    "SurveyValuationItem": {
        "text": "ProductID ProductCategoryID PartyID CompletionRatePerProduct AnswerText",
        "guid": "ProductUUID ProductCategoryUUID PartyUUID QuestionUUID",
        "flag": "FinishedIndicator",
    },
}

CHILDREN: Mapping[str, tuple[str, ...]] = {
    "Opportunity": (
        "OpportunityItem", "OpportunityParty", "OpportunitySalesTeamParty", "OpportunityHistoricalVersion",
        "OpportunityBusinessTransactionDocumentReference",
    ),
    "Appointment": ("AppointmentInvolvedParties",),
    "Employee": ("EmployeeOrganisationalUnitAssignment", "EmployeeSalesResponsibility"),
    "SurveyResponseRoot": ("SurveyValuation",),
    "SurveyValuation": ("SurveyValuationItem",),
}  # fmt: skip
"""Which entity types hang on which; the navigation has the child's name, save for ``NAVIGATIONS``."""
NAVIGATIONS = {"SurveyValuation": "SurveyResponse"}
STAMPED = frozenset(
    {
        "LastChangeDateTime", "LastChangeDate", "ChangedOn", "CreatedOn", "CreationDateTime", "CreationDate", "CreationOn",
        "CreatedBy", "LastChangedBy", "ChangedBy", "UUID",
    }
)  # fmt: skip
"""Properties that only the server sets."""
MANDATORY = {"Opportunity": "Name", "CorporateAccount": "Name"}
"""Needed on create; everything else may be left out."""
