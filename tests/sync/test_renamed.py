"""A connection file that gets another name: nothing counts twice, and the new name goes on where the old one stood."""

import json

from sync.cli.shared import Exit
from tests.sync.company import Company


def _rename_file(company: Company, name: str) -> None:
    folder = company.config_folder / "connections"
    (folder / "hubspot.yaml").rename(folder / f"{name}.yaml")


def _deals_of(company: Company, command: str = "deals") -> str:
    return company.command("report", command, "--format", "csv").stdout.replace("emea:", "hubspot:")


def test_an_account_is_not_read_again_under_another_name(company: Company) -> None:
    assert not company.cycle().failed
    before = _deals_of(company)
    _rename_file(company, "emea")

    told = company.command("run", "--once")

    assert told.returncode == Exit.WRONG_USE
    assert "emea reads the account that hubspot read, whose file is gone" in told.stderr
    assert "scoreback rename hubspot emea" in told.stderr
    assert _deals_of(company) == before


def test_a_renamed_connection_goes_on_where_it_stood(company: Company) -> None:
    assert not company.cycle().failed
    deals, scores = _deals_of(company), _deals_of(company, "scores")
    _rename_file(company, "emea")

    told = company.command("rename", "hubspot", "emea")
    company.reset_stats()
    outcome = company.cycle()

    assert told.returncode == Exit.DONE, told.stderr
    assert not outcome.failed
    assert [part.accepted for part in outcome.pushes] == [0, 0], "what the CRM has accepted is still known"
    assert sum(part.new for pulled in outcome.pulls for part in pulled.streams) == 0
    streams = json.loads(company.command("status", "--json").stdout)["streams"]
    assert {one["connection"] for one in streams} == {"emea", "salesforce"}
    assert (_deals_of(company), _deals_of(company, "scores")) == (deals, scores)


def test_two_that_were_read_are_not_made_one(company: Company) -> None:
    assert not company.cycle().failed
    (company.config_folder / "connections" / "hubspot.yaml").unlink()

    told = company.command("rename", "hubspot", "salesforce")

    assert told.returncode == Exit.WRONG_USE
    assert "salesforce has records of its own" in told.stderr


def test_a_name_that_is_in_use_or_unknown_is_refused(company: Company) -> None:
    assert company.command("rename", "hubspot", "salesforce").returncode == Exit.WRONG_USE
    assert company.command("rename", "nowhere", "salesforce").returncode == Exit.WRONG_USE
