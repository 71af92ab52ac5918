"""Making our columns in a solution of ours, and taking them away; what check finds."""

from typing import Any

import pytest


def states(steps: Any) -> dict[str, str]:
    return {step.name: step.state for step in steps}


def test_a_dry_run_says_what_is_missing_and_makes_nothing(crm: Any, wanted: Any) -> None:
    connector = crm.connect()

    calls = crm.calls(lambda: list(connector.provision(wanted, dry_run=True)))

    assert set(states(connector.provision(wanted, dry_run=True)).values()) == {"missing"}
    assert not [where for where in calls if not where.startswith("GET")]


def test_columns_are_made_within_our_solution_and_nothing_twice(crm: Any, wanted: Any) -> None:
    connector = crm.connect()

    made = states(connector.provision(wanted, dry_run=False))
    again = states(crm.connect().provision(wanted, dry_run=False))

    assert made["solution scoreback_sb"] == made["opportunity.sb_scoreback_score"] == "created"
    assert made["systemuser.sb_scoreback_score"] == "created"
    assert set(again.values()) == {"exists"}
    column = crm.emulator.org.tables["opportunity"].columns["sb_scoreback_score"]
    assert (column.solution, column.schema, column.precision) == ("scoreback_sb", "sb_Scoreback_Score", 2)
    [publisher] = [row for row in crm.emulator.org.rows("publisher").values() if row.get("customizationprefix") == "sb"]
    assert publisher["uniquename"] == "scoreback_sb"


def test_a_prefix_of_the_customers_own_takes_their_publisher(crm: Any, wanted: Any) -> None:
    connector = crm.connect()
    connector.api.send("POST", "publishers", {
        "uniquename": "contoso", "friendlyname": "Contoso", "customizationprefix": "sb",
        "customizationoptionvalueprefix": 12345,
    })  # fmt: skip

    list(connector.provision(wanted, dry_run=False))
    removed = states(connector.unprovision(wanted, dry_run=False))

    assert removed["publisher scoreback_sb"] == "missing"
    assert [
        row["uniquename"]
        for row in crm.emulator.org.rows("publisher").values()
        if row.get("customizationprefix") == "sb"
    ] == ["contoso"]


def test_undoing_it_takes_columns_solution_and_publisher_away(crm: Any, wanted: Any) -> None:
    connector = crm.connect()
    list(connector.provision(wanted, dry_run=False))

    removed = states(connector.unprovision(wanted, dry_run=False))

    assert set(removed.values()) == {"removed"}
    assert set(states(crm.connect().provision(wanted, dry_run=True)).values()) == {"missing"}


def test_a_metadata_lock_is_waited_for(crm: Any, wanted: Any) -> None:
    crm.arm("metadata_lock")

    made = states(crm.connect().provision(wanted, dry_run=False))

    assert set(made.values()) == {"created"}


def test_a_request_whose_answer_was_lost_makes_nothing_twice(crm: Any, wanted: Any, monkeypatch: Any) -> None:
    connector = crm.connect()
    send = connector.api.send
    monkeypatch.setattr(connector.api, "send", lambda *args, **more: (send(*args, **more), send(*args, **more))[1])

    steps = list(connector.provision(wanted, dry_run=False))

    assert {step.state for step in steps} == {"created"}
    for table in ("publisher", "solution"):
        names = [row["uniquename"] for row in crm.emulator.org.rows(table).values()]
        assert names.count("scoreback_sb") == 1


def test_a_step_that_is_refused_is_told_to_the_admin_and_the_others_go_on(crm: Any, wanted: Any) -> None:
    crm.arm("no_permission", match="POST /api/data/v9.2/EntityDefinitions(LogicalName='opportunity')", times=1)

    steps = {step.name: step for step in crm.connect().provision(wanted, dry_run=False)}

    refused = steps["opportunity.sb_scoreback_score"]
    assert refused.state == "by_hand"
    assert "sb_Scoreback_Score" in refused.text
    assert "Decimal number" in refused.text
    assert steps["opportunity.sb_scoreback_grade"].state == "created"


def test_check_is_content_with_an_environment_that_has_everything(crm: Any, writer: Any) -> None:
    names = {"sb_scoreback_score": "score"}

    findings = list(
        crm.connect(write_back={"opportunity": names, "person": {"sb_scoreback_score": "appraisal"}}).check()
    )

    levels = {one.where: one.level for one in findings}
    assert levels["sign-in"] == levels["stream opportunity"] == levels["write_back.opportunity"] == "ok"
    assert not [one for one in findings if one.level == "error"]


@pytest.mark.parametrize(
    ("emulator", "settings", "where", "level", "says"),
    [
        ({"lacking": ["prvReadAccount"]}, {}, "stream account", "error", "prvReadAccount"),
        ({"lacking": ["prvReadEntity"]}, {}, "stream opportunity", "error", "prvReadEntity"),
        ({"lacking": ["prvReadEntity"]}, {"write_back": {"opportunity": {"sb_scoreback_score": "score"}}},
         "write_back.opportunity", "error", "prvReadEntity"),
        ({"off": ["incident"]}, {}, "stream case", "info", "no table incident"),
        ({"off": ["task"]}, {}, "stream task", "error", "no table task"),
        ({"untracked": ["account"]}, {}, "stream account", "warning", "change tracking is off"),
        ({"auditing": False}, {}, "stream history", "info", "auditing of opportunities is off"),
        ({}, {"fields": {"opportunity": {"source": "new_nothing"}}}, "stream opportunity", "error", "new_nothing"),
        ({}, {"write_back": {"opportunity": {"sb_scoreback_score": "score"}}}, "write_back.opportunity", "error", "not there"),
        ({}, {}, "stream split", "info", "no column holds the share"),
        ({}, {"stages": {"New": [{"stage": "Qualify", "outcome": "open"}]}}, "stages", "warning", "Propose (of New)"),
    ],
)  # fmt: skip
def test_check_finds_what_is_missing(
    make_crm: Any, emulator: Any, settings: Any, where: str, level: str, says: str
) -> None:
    crm = make_crm(**emulator)

    findings = list(crm.connect(**settings).check())

    assert [one for one in findings if (one.where, one.level) == (where, level) and says in one.text]


def test_check_only_reads(crm: Any) -> None:
    calls = crm.calls(lambda: list(crm.connect().check()))

    assert not [where for where in calls if not where.startswith("GET")]


def test_the_columns_of_a_table_are_named_as_json_spells_them(crm: Any) -> None:
    names = crm.connect().remote_names(crm.streams["opportunity"])

    assert {"estimatedvalue", "_ownerid_value", "stepname"} <= set(names)


def test_check_asks_for_one_row_of_each_table(crm: Any) -> None:
    page = crm.connect().api.page("opportunities?$select=name", rows=1)

    assert len(page["value"]) == 1
    assert "@odata.nextLink" in page
