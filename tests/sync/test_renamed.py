"""A connection file that gets another name: nothing counts twice, and the new name goes on where the old one stood."""

import json

from sqlalchemy import insert

from sync.cli.shared import Exit
from sync.store.books import StreamState
from sync.store.state import book
from tests.sync.company import Company


def _rename_file(company: Company, name: str, old: str = "hubspot") -> None:
    folder = company.config_folder / "connections"
    (folder / f"{old}.yaml").rename(folder / f"{name}.yaml")


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


def test_files_that_swapped_names_mix_nothing(company: Company) -> None:
    assert not company.cycle().failed
    before = _deals_of(company)
    _rename_file(company, "between")
    _rename_file(company, "hubspot", "salesforce")
    _rename_file(company, "salesforce", "between")

    told = company.command("run", "--once")

    assert told.returncode == Exit.WRONG_USE
    assert "and the one that it read before is read by salesforce" in told.stderr
    assert _deals_of(company) == before


def test_a_name_that_another_file_took_at_once_counts_nothing_twice(company: Company) -> None:
    assert not company.cycle().failed
    before = _deals_of(company)
    _rename_file(company, "emea")
    _rename_file(company, "hubspot", "salesforce")

    told = company.command("run", "--once")
    _rename_file(company, "salesforce", "hubspot")
    _rename_file(company, "hubspot", "emea")

    assert told.returncode == Exit.WRONG_USE
    assert "emea reads another account now, which hubspot read before" in told.stderr
    assert not company.cycle().failed
    assert _deals_of(company) == before


def test_an_account_is_known_by_its_address_whoever_signs_in(company: Company) -> None:
    assert not company.cycle().failed
    _rename_file(company, "emea", "salesforce")
    file = company.config_folder / "connections" / "emea.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("client_id: sandbox", "client_id: env:EMEA_ID"), "utf-8")

    told = company.command("run", "--once")

    assert told.returncode == Exit.WRONG_USE
    assert "emea reads the account that salesforce read, whose file is gone" in told.stderr


def test_a_read_that_failed_under_the_new_name_does_not_hinder(company: Company) -> None:
    assert not company.cycle().failed
    _rename_file(company, "emea")
    with company.store() as store, store.writing() as tx:
        tx.db.execute(insert(book(StreamState)).values(connection="emea", stream="stage", full_done=False, rows=0))

    told = company.command("rename", "hubspot", "emea")

    assert told.returncode == Exit.DONE, told.stderr
