"""Our own object is made and deleted by deployments, whose end is waited for."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from connectors.errors import RejectedError
from connectors.salesforce.deploy import delete_object, make_object
from connectors.salesforce.provision import Provisioner

ASK = "GET /services/data/{version}/metadata/deployRequest/{id}"


def no_pause(_seconds: float) -> None:
    """Waits no time."""


def test_an_object_is_made_private_with_numbered_rows_and_deleted_again(org: Any) -> None:
    api = org.connect().api

    make_object(api, "Scoreback_Appraisal__c", "Appraisals & more", sleep=no_pause)

    made = org.emulator.org.objects["Scoreback_Appraisal__c"]
    assert (made.label, made.plural) == ("Appraisals & more", "Appraisals & mores")
    assert not made.fields["Name"].createable
    delete_object(api, "Scoreback_Appraisal__c", sleep=no_pause)
    assert api.describe("Scoreback_Appraisal__c", fresh=True) is None


def test_a_deployment_is_asked_after_until_it_is_done(make_org: Callable[..., Any]) -> None:
    org = make_org(deploy_polls=1)
    waits: list[float] = []

    calls = org.calls(lambda: make_object(org.connect().api, "Own__c", "Own", sleep=waits.append))

    assert calls[ASK] == 2
    assert waits == [1.0]


@pytest.mark.parametrize(
    ("act", "name", "reason"),
    [
        pytest.param(partial(make_object, label="Own", sleep=no_pause), "two words__c", "must begin with", id="a bad name"),
        pytest.param(partial(delete_object, sleep=no_pause), "Nothing__c", "No CustomObject named", id="not there"),
    ],
)  # fmt: skip
def test_why_a_deployment_failed_is_told(org: Any, act: Callable[..., None], name: str, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        act(org.connect().api, name)


def test_a_deployment_without_end_is_left_to_setup(org: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    api = org.connect().api
    running = {"deployResult": {"done": False, "success": False, "status": "Pending"}}
    monkeypatch.setattr(api, "rest", lambda *_args, **_kwargs: running)

    with pytest.raises(RejectedError, match="Setup > Deployment Status"):
        make_object(api, "Own__c", "Own", sleep=no_pause)


def test_an_object_that_may_not_be_made_becomes_a_step_for_the_admin(org: Any, appraisal_fields: Any) -> None:
    org.emulator.faults.arm({"name": "no_permission", "match": "metadata/deployRequest"})

    steps = list(Provisioner(org.connect().api, dry_run=False, sleep=no_pause).add(appraisal_fields))

    assert {step.state for step in steps} == {"by_hand"}
    assert "Setup > Object Manager > Create > Custom Object" in steps[0].text
