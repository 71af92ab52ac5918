"""Our fields in Salesforce, and what check says of a connection."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import FieldSpec, Finding, Write, WriteTarget, Written
from connectors.errors import (
    SignInError,
)
from connectors.salesforce import Salesforce
from connectors.salesforce.provision import Provisioner
from connectors.sandbox.salesforce.auth import SignInSettings

MakeOrg = Callable[..., Any]

Fields = list[FieldSpec]

DEALS = WriteTarget("opportunity")
APPRAISALS = WriteTarget("person", into="Scoreback_Appraisal__c", key="Scoreback_Key__c")


@pytest.fixture
def wanted(deal_fields: Fields, appraisal_fields: Fields) -> Fields:
    return [*deal_fields, *appraisal_fields]


def test_provisioning_makes_what_is_missing_and_a_second_run_finds_it(org: Any, wanted: Fields) -> None:
    first = org.provision(org.connect(), wanted)
    second = org.provision(org.connect(), wanted)

    assert first == {
        "Opportunity.Scoreback_Score__c": "created",
        "Opportunity.Scoreback_Reasons__c": "created",
        "Opportunity.Scoreback_Scored_At__c": "created",
        "Scoreback_Appraisal__c": "created",
        "Scoreback_Appraisal__c.Scoreback_Key__c": "created",
        "Scoreback_Appraisal__c.Scoreback_Band__c": "created",
        "permission set Scoreback_Integration": "created",
    }
    assert set(second.values()) == {"exists"}
    assert "permission set Scoreback_Integration" not in second


def test_a_dry_run_changes_nothing(org: Any, wanted: Fields) -> None:
    states: dict[str, str] = {}

    spent = org.calls(lambda: states.update(org.provision(org.connect(), wanted, dry_run=True)))

    assert set(states.values()) == {"missing"}
    assert [where for where in spent if not where.startswith("GET ")] == []


def test_new_fields_are_waited_for_until_they_show(make_org: MakeOrg, deal_fields: Fields) -> None:
    org = make_org(permission_lag=3)

    states = org.provision(org.connect(), deal_fields[:1])

    assert states == {"Opportunity.Scoreback_Score__c": "created", "permission set Scoreback_Integration": "created"}


def test_fields_that_never_show_are_told_to_the_admin(make_org: MakeOrg, deal_fields: Fields) -> None:
    org = make_org(permission_lag=1000)

    states = list(Provisioner(org.connect().api, dry_run=False, sleep=lambda _seconds: None).add(deal_fields[:1]))

    assert states[-1].state == "by_hand"
    assert "look at its field-level security" in states[-1].text


def test_an_own_object_is_granted_as_such_where_that_is_needed(make_org: MakeOrg, appraisal_fields: Fields) -> None:
    org = make_org(object_permissions=True)
    connector = org.connect()

    org.provision(connector, appraisal_fields)

    [verdict] = connector.write(APPRAISALS, [Write("k", {"Scoreback_Band__c": "A"})])
    assert verdict.rejected is None


def test_a_field_made_but_never_granted_is_granted_by_the_next_run(org: Any, deal_fields: Fields) -> None:
    connector = org.connect()
    deal = org.id("opportunities", "100")
    org.emulator.faults.arm({"name": "no_permission", "match": "POST /services/data/v64.0/sobjects/"})
    refused = org.provision(connector, deal_fields[:1])
    org.emulator.faults.armed.clear()

    states = org.provision(connector, deal_fields[:1])

    assert refused == {"Opportunity.Scoreback_Score__c": "created", "permission set Scoreback_Integration": "by_hand"}
    assert states == {"Opportunity.Scoreback_Score__c": "exists", "permission set Scoreback_Integration": "created"}
    assert list(connector.write(DEALS, [Write(deal, {"Scoreback_Score__c": Decimal(1)})])) == [Written(deal)]


def test_what_salesforce_refuses_becomes_a_step_for_the_admin(org: Any, wanted: Fields) -> None:
    org.emulator.faults.arm({"name": "no_permission", "match": "POST /services/data/v64.0/"})

    steps = list(org.connect().provision(wanted, dry_run=False))

    assert {step.state for step in steps} == {"by_hand"}
    assert "Setup > Object Manager > Opportunity > Fields & Relationships > New: Number" in steps[0].text


def test_taking_away_leaves_nothing_of_ours(org: Any, writer: Salesforce, wanted: Fields) -> None:
    steps = {step.name: step.state for step in writer.unprovision(wanted, dry_run=False)}
    again = {step.state for step in org.connect().unprovision(wanted, dry_run=False)}

    assert set(steps.values()) == {"removed"}
    assert "permission set Scoreback_Integration" in steps
    assert again == {"missing"}


def test_an_object_that_is_not_called_as_ours_are_is_never_deleted(org: Any) -> None:
    ledger = WriteTarget("person", into="Ledger__c", key="Scoreback_Key__c")
    wanted = [FieldSpec(ledger, "Scoreback_Band__c", "Scoreback Band", "text", length=2)]
    org.provision(org.connect(), wanted)

    steps = {step.name: step.state for step in org.connect().unprovision(wanted, dry_run=False)}

    assert steps["Ledger__c.Scoreback_Band__c"] == "removed"
    assert "Ledger__c" not in steps
    assert org.connect().api.describe("Ledger__c") is not None


def test_a_dry_run_of_taking_away_deletes_nothing(org: Any, writer: Salesforce, wanted: Fields) -> None:
    steps = list(writer.unprovision(wanted, dry_run=True))

    assert {step.text for step in steps} == {"would be deleted"}
    assert set(org.provision(org.connect(), wanted).values()) == {"exists"}


def found_by(connector: Salesforce) -> dict[str, list[Finding]]:
    by_level: dict[str, list[Finding]] = {}
    for finding in connector.check():
        by_level.setdefault(finding.level, []).append(finding)
    return by_level


def test_check_of_a_sound_connection_has_no_error(org: Any, writer: Salesforce) -> None:
    connector = org.connect(
        write_back={
            "opportunity": {"Scoreback_Score__c": "score"},
            "person": {
                "into": "Scoreback_Appraisal__c",
                "key": "Scoreback_Key__c",
                "fields": {"Scoreback_Band__c": "band"},
            },
        }
    )

    findings = found_by(connector)

    assert "error" not in findings
    assert {"sign-in", "api_version", "allowance", "stream opportunity", "write_back.person"} <= {
        one.where for one in findings["ok"]
    }


def test_check_names_what_is_hidden_and_what_to_do(org: Any) -> None:
    org.hide("Amount")
    org.hide("NextStep")
    connector = org.connect(
        fields={"opportunity": {"product": "Nope__c"}}, write_back={"opportunity": {"Scoreback_Score__c": "score"}}
    )

    findings = found_by(connector)

    errors = " ".join(f"{one.where}: {one.text}. {one.advice}" for one in findings["error"])
    assert "Opportunity.Amount" in errors
    assert "Opportunity has no Nope__c" in errors
    assert "Scoreback_Score__c not there or not editable. run scoreback provision" in errors
    assert "Opportunity.NextStep is hidden" in " ".join(one.text for one in findings["warning"])


def test_check_reports_quotas_that_nobody_can_see(make_org: MakeOrg, world: Any) -> None:
    org = make_org({**world, "targets": []})

    findings = found_by(org.connect())

    assert ("stream target", "no quota is visible") in {(one.where, one.text) for one in findings["warning"]}


def test_check_tells_how_to_get_owner_changes(make_org: MakeOrg, world: Any) -> None:
    org = make_org({**world, "changes": []})

    findings = found_by(org.connect())

    [hint] = [one for one in findings["info"] if one.where == "stream field_history"]
    assert "Set History Tracking" in hint.advice


def test_check_reports_a_clock_that_is_off(org: Any) -> None:
    org.emulator.skew = timedelta(hours=1)

    findings = found_by(org.connect())

    assert "clock" in {one.where for one in findings["warning"]}


def test_check_reports_a_version_that_is_not_served(org: Any) -> None:
    findings = found_by(org.connect(api_version="67.0"))

    assert [(one.text, one.advice) for one in findings["error"]] == [
        ("67.0 is not served here", "set api_version to 66.0")
    ]


def test_a_check_that_may_not_sign_in_says_so_at_once(make_org: MakeOrg) -> None:
    org = make_org(sign_in=SignInSettings(clients={"other": "sandbox"}))

    with pytest.raises(SignInError):
        list(org.connect().check())
