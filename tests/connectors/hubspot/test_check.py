"""What a check says: of rights, stages, clock, mapping and write-back."""

import re
from pathlib import Path

import pytest

from connectors.base import Write
from connectors.errors import ForbiddenError
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import HubSpotEmulator
from tests.connectors.hubspot.conftest import (
    ALL,
    DEALS,
    KEYED,
    LONG_AGO,
    PEOPLE,
    STREAMS,
    VALUES,
    Open,
    pulled,
    specs,
    verdicts,
    window,
)


def test_a_healthy_account_has_no_error(opened: Open, ready: HubSpot) -> None:
    hubspot = opened(
        write_back={"opportunity": {"scoreback_score": "score"}, "person": {"scoreback_score": "appraisal"}}
    )

    found = list(hubspot.check())

    assert [one for one in found if one.level in ("error", "warning")] == []
    assert {"sign_in", "clock", "write_back.opportunity", "write_back.person"} <= {one.where for one in found}


def test_check_names_a_property_that_is_not_there_and_the_nearest_one(opened: Open) -> None:
    hubspot = opened(
        fields={"opportunity": {"next_step": "hs_nxt_step"}}, write_back={"opportunity": {"scoreback_x": "score"}}
    )

    found = {one.where: one for one in hubspot.check() if one.level == "error"}

    assert "hs_next_step" in found["opportunity.hs_nxt_step"].advice
    assert "provision" in found["write_back.opportunity"].advice


def test_the_scopes_of_our_page_are_enough_for_everything(opened: Open, emulator: HubSpotEmulator) -> None:
    page = (Path(__file__).parents[3] / "docs/connectors/hubspot.md").read_text(encoding="utf-8")
    table = page.split("| Scope | For |")[1].split("\n\n")[0]
    emulator.scopes = frozenset(re.findall(r"`((?:crm|settings)\.[a-z_.]+)`", table))
    hubspot = opened(fields={"person": {"region": "region"}})
    list(hubspot.provision([spec for target in (DEALS, PEOPLE, KEYED) for spec in specs(target)], dry_run=False))

    found = list(hubspot.check())
    for name, stream in ((name, STREAMS[name]) for name in sorted(ALL)):
        pulled(hubspot, name, window(streams=ALL))
        pulled(hubspot, name, window(LONG_AGO, streams=ALL))
        list(hubspot.deletions(stream, None, hubspot.now()))
    verdict = {
        one: rejected
        for target, remote_id in ((DEALS, "501"), (PEOPLE, "701"), (KEYED, "701:2026-Q4"))
        for one, rejected in verdicts(hubspot, target, [Write(remote_id, VALUES)]).items()
    }

    assert [one for one in found if one.level in ("error", "warning")] == []
    assert set(verdict.values()) == {None}


def test_what_an_account_does_not_offer_is_no_error(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.switched_off = frozenset({"goal_targets", "currencies"})

    assert [pulled(hubspot, stream) for stream in ("target", "rate")] == [{}, {}]

    assert {one.where: one.level for one in hubspot.check() if one.text.startswith("off")} == {
        "target": "info",
        "rate": "info",
    }


def test_check_says_where_scores_of_people_can_go_if_not_where_they_should(opened: Open) -> None:
    keyed = {"into": "scoreback_appraisal", "key": "scoreback_key", "fields": {"scoreback_score": "appraisal"}}

    found = {one.where: one for one in opened(write_back={"person": keyed}).check()}

    assert found["write_back.person"].level == "error"
    assert {"provision", "into", "report"} <= set(re.findall(r"[a-z]+", found["write_back.person"].advice))


def test_an_app_that_is_not_told_its_allowance_is_no_problem(opened: Open, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "no_permission", "match": "api-usage"})

    assert {one.where: one.level for one in opened().check()}["allowance"] == "info"


def test_check_says_that_a_sign_in_was_refused_and_no_more(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "revoked"})

    (found,) = hubspot.check()

    assert (found.level, found.where) == ("error", "sign_in")


def test_check_names_stages_that_contradict_themselves(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.portal.pipelines["deals"]["default"].stages["9001"].metadata = {"isClosed": "true", "probability": "0.5"}

    found = {one.where: one.text for one in hubspot.check()}

    assert "9001" in found["stages"]
    assert pulled(hubspot, "stage")["default:9001"].outcome is None


def test_a_clock_that_is_off_is_a_warning(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "clock_skew", "seconds": 600})

    assert [one.where for one in hubspot.check() if one.level == "warning"] == ["clock"]


def test_a_missing_scope_switches_off_one_stream(hubspot: HubSpot, emulator: HubSpotEmulator) -> None:
    emulator.faults.arm({"name": "no_permission", "match": "calls"})

    with pytest.raises(ForbiddenError, match=r"crm\.objects\.contacts\.read"):
        pulled(hubspot, "call")

    assert pulled(hubspot, "meeting")
    assert [one.where for one in hubspot.check() if one.level == "warning"] == ["call"]
