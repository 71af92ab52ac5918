"""Making our fields and our module in Zoho, and what check says before and after."""

from typing import Any

import pytest

from connectors.base import FieldSpec, WriteTarget
from connectors.errors import RetryLaterError

DEALS = WriteTarget("opportunity")


def states(steps: Any) -> dict[str, str]:
    return {step.name: step.state for step in steps}


def test_a_dry_run_makes_nothing(org: Any, deal_fields: Any, appraisal_fields: Any) -> None:
    wanted = [*deal_fields, *appraisal_fields]

    told = states(org.connect().provision(wanted, dry_run=True))

    assert set(told.values()) == {"missing"}
    assert "ScorebackAppraisals.Scoreback_Key" in told
    assert "Scoreback_Score" not in org.connect().api.fields("Deals")


def test_what_is_there_is_not_made_twice(org: Any, writer: Any, deal_fields: Any, appraisal_fields: Any) -> None:
    again = states(org.connect().provision([*deal_fields, *appraisal_fields], dry_run=False))

    assert set(again.values()) == {"exists"}
    assert writer.api.fields("ScorebackAppraisals")["Scoreback_Key"]["unique"]


def test_fields_are_taken_away_and_the_module_is_left_to_a_person(
    org: Any, writer: Any, deal_fields: Any, appraisal_fields: Any
) -> None:
    removed = states(writer.unprovision([*deal_fields, *appraisal_fields], dry_run=False))

    assert removed.pop("ScorebackAppraisals") == "by_hand"
    assert set(removed.values()) == {"removed"}
    assert "Scoreback_Score" not in org.connect().api.fields("Deals")


def test_a_name_that_zoho_makes_differently_is_told(org: Any) -> None:
    spec = FieldSpec(DEALS, "Scoreback_Score!", "Scoreback score", "number")

    (step,) = org.connect().provision([spec], dry_run=False)

    assert step.state == "by_hand"
    assert "write_back" in step.text


def test_a_refused_step_says_what_to_do_by_hand(make_org: Any, deal_fields: Any) -> None:
    scopes = ["ZohoCRM.settings.fields.READ", "ZohoCRM.settings.modules.READ", "ZohoCRM.users.READ"]
    org = make_org(scopes=scopes)

    told = list(org.connect().provision(deal_fields, dry_run=False))

    assert {step.state for step in told} == {"by_hand"}
    assert "label Scoreback Score" in told[0].text


def test_a_module_of_letters_and_digits_only_can_be_made(org: Any) -> None:
    target = WriteTarget("person", into="Scoreback_Appraisals", key="Scoreback_Key")

    told = list(org.connect().provision([FieldSpec(target, "Scoreback_Band", "Band", "text")], dry_run=False))

    assert {step.state for step in told} == {"by_hand"}
    assert "letters and digits" in told[0].text


def test_check_is_content_with_an_org_in_order(org: Any, writer: Any, deal_fields: Any) -> None:
    write_back: dict[str, Any] = {"opportunity": {spec.name: "score" for spec in deal_fields}}
    write_back |= {
        "person": {"into": "ScorebackAppraisals", "key": "Scoreback_Key", "fields": {"Scoreback_Band": "band"}}
    }

    found = list(org.connect(write_back=write_back).check())

    assert [one for one in found if one.level in ("error", "warning") and one.where != "clock"] == []
    assert {"write_back.opportunity", "write_back.person", "stream history"} <= {
        one.where for one in found if one.level == "ok"
    }


def test_check_names_what_is_missing(make_org: Any) -> None:
    org = make_org(switched_off=["DealHistory"], credits_used=0)
    org.arm("missing_field", field="Next_Step", object="Deals", times=None)
    connector = org.connect(
        fields={"opportunity": {"product": "Prodct"}, "person": {"team": "Taem"}},
        stages={"Sales": [{"stage": "Proposal", "outcome": "open"}]},
        write_back={"opportunity": {"Scoreback_Score": "score"}},
        streams={"target": {"object": "Quotas"}},
    )

    found = {(one.level, one.where): one.text for one in connector.check()}

    assert "Prodct" in found["error", "stream opportunity"]
    assert "Next_Step" in found["warning", "stream opportunity"]
    assert "Taem" in found["error", "stream person"]
    assert ("error", "stream history") in found
    assert ("error", "stream target") in found
    assert "Prospecting (of Sales)" in found["warning", "stages"]
    assert "Scoreback_Score" in found["error", "write_back.opportunity"]


def test_check_says_which_scope_is_missing(make_org: Any) -> None:
    org = make_org(scopes=["ZohoCRM.modules.ALL", "ZohoCRM.coql.READ", "ZohoCRM.settings.ALL", "ZohoCRM.users.READ"])

    found = list(org.connect().check())

    assert next((one.level, one.where) for one in found) == ("error", "sign-in")
    assert "stream opportunity" in {one.where for one in found if one.level == "ok"}


def test_a_key_that_may_be_there_twice_is_an_error(org: Any) -> None:
    connector = org.connect(
        write_back={"person": {"into": "Accounts", "key": "Scoreback_Key", "fields": {"Scoreback_Band": "band"}}}
    )
    accounts = WriteTarget("person", "Accounts")
    plain = [FieldSpec(accounts, name, name, "text") for name in ("Scoreback_Band", "Scoreback_Key")]
    list(connector.provision(plain, dry_run=False))

    found = {one.where: one for one in connector.check()}

    assert found["write_back.person"].level == "error"
    assert "duplicate" in found["write_back.person"].text


def test_every_stream_says_its_fields_to_the_admin(org: Any) -> None:
    connector = org.connect()

    names = {name: connector.remote_names(stream) for name, stream in org.streams.items()}

    assert names["opportunity"]["Closing_Date"] == "Closing Date"
    assert "Team" in names["person"]
    assert names["rate"] == {}


def test_a_module_is_ordered_once_and_found_where_the_answer_was_lost(org: Any, appraisal_fields: Any) -> None:
    org.arm("cut", match="/settings/modules")
    connector = org.connect()
    steps: list[Any] = []

    cost = org.calls(lambda: steps.extend(connector.provision(appraisal_fields, dry_run=False)))

    assert {step.state for step in steps} == {"created"}
    assert cost["POST /crm/v8/settings/modules"] == 1


def test_a_module_that_was_not_made_when_zoho_failed_is_made_later(org: Any, appraisal_fields: Any) -> None:
    org.arm("server_error", match="/settings/modules")

    with pytest.raises(RetryLaterError):
        list(org.connect().provision(appraisal_fields, dry_run=False))
