"""The contract suite is itself tested: a connector with one defect fails the claim that is about it, a sound one none.

Every mutant is a copy of the tutorial's package under a kind of its own, so that one process asks them all.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "docs/tutorial/abacus/scoreback_abacus"
IMPORTS = ("    Connector,\n", "    Connector,\n    From,\n")


@dataclass(frozen=True)
class Mutant:
    """A defect: texts of ``connector.py`` with what stands there instead, the claim that must fail, and words of its reason."""

    name: str
    defect: tuple[tuple[str, str], ...]
    claim: str
    case: str = ""
    says: str = ""

    def node(self, kind: str) -> str:
        """The claim's node for a kind."""
        return f"tests/contract/{self.claim}[{kind}{'-' * bool(self.case)}{self.case}]"


def one(name: str, old: str, new: str, claim: str, case: str = "", says: str = "") -> Mutant:
    return Mutant(name, ((old, new),), claim, case, says)


ROWS = 'rows, resume = answer["rows"], answer["next"]'
PAGE = "            yield Page([Raw(stream, row) for row in rows], resume)"
DEALS = '"stage": "stage", "amount": "value"'
TITLE = '**_KEPT, "name": "title", "account_id"'
VERDICT = """                recovery = RECOVERIES.get(verdict["code"], "park")
                yield Written(verdict["id"], Rejection(verdict["code"], verdict["message"], recovery))"""
WITHOUT_IDS = ("    def ids(self", "    def not_asked(self")
STAMPS = "test_reading.py::test_equal_stamps_over_page_borders_lose_nothing"
AMOUNTS = "test_reading.py::test_amounts_arrive_exactly_and_a_missing_one_stays_unknown"
ODD = "test_reading.py::test_odd_text_arrives_as_it_is"
LASTING = "test_trouble.py::test_lasting_trouble_stops_the_connection_and_keeps_what_is_stored"
REFUSED = "test_writing.py::test_a_refused_row_says_why_and_the_others_are_written"

MUTANTS = (
    one("a cursor without the id", ROWS, f'{ROWS} and answer["next"].partition("|")[0] + "|~"', STAMPS, says="== 23"),
    one("a cursor without the id, in changes", ROWS, f'{ROWS} and answer["next"].partition("|")[0] + "|~"',
        "test_changes.py::test_changes_of_one_moment_over_page_borders_are_all_read", says="1000.5"),
    one("the last page is dropped", PAGE, PAGE.replace("yield", "if resume: yield"),
        "test_reading.py::test_pages_end_where_rows_end", "1", "== {'d0'"),
    one("only the first page is read", "            if resume is None:\n", "            if True:\n",
        "test_reading.py::test_pages_end_where_rows_end", "1"),
    one("everything is read each time", "if window.start is not None:", "if False:",
        "test_changes.py::test_rows_that_did_not_change_are_not_read_again", says="[40] == [1]"),
    one("the overlap is cut off", "_moment(window.start)", "_moment(window.start + (window.end - window.start) * 0.95)",
        "test_changes.py::test_a_change_that_is_committed_late_is_not_missed", says="1000.5"),
    Mutant("deletions are ignored", ((', "deleted": "gone"}', "}"), WITHOUT_IDS),
           "test_changes.py::test_a_deleted_deal_is_gone", says="'d3'"),
    one("the id list ends early", "            if after is None:\n", "            if True:\n",
        "test_reading.py::test_the_id_list_of_the_sweep_is_complete"),
    Mutant("what was hidden is never found", (WITHOUT_IDS,),
           "test_checking.py::test_one_row_that_silently_vanished_is_found_by_the_sweep", says="'d3'"),
    one("those who left stay active", '"active": "active", ', "",
        "test_changes.py::test_a_person_who_left_is_no_longer_active_and_still_owns_what_was_theirs"),
    Mutant("cents are cut off", ((DEALS, DEALS.replace('"value"', 'From("value", int)')), IMPORTS), AMOUNTS, "-250.75", "-250"),
    Mutant("nothing is unknown", ((DEALS, DEALS.replace('"value"', 'From("value", lambda it: it or None)')), IMPORTS),
           AMOUNTS, "0", "None =="),
    Mutant("long names are cut", ((TITLE, TITLE.replace('"title"', 'From("title", lambda it: it[:80])')), IMPORTS),
           "test_reading.py::test_a_text_of_250_characters_arrives_whole", "latin"),
    Mutant("line breaks are flattened", ((TITLE, TITLE.replace('"title"', 'From("title", lambda it: " ".join(it.split()))')),
           IMPORTS), ODD, "line break"),
    one("stages go by their label", '"stage": "id", "label"', '"stage": "title", "label"',
        "test_reading.py::test_every_deal_is_in_a_stage_that_is_known_whatever_its_label"),
    one("a missing field is taken for emptiness", "        if missing:\n            raise", "        if False:\n            raise",
        "test_trouble.py::test_a_field_that_vanished_or_became_another_erases_nothing", "missing_field"),
    one("check does not look at fields", "            if missing:\n                yield", "            if False:\n                yield",
        "test_checking.py::test_check_names_a_field_that_is_not_there"),
    one("a spent day looks like a missing right", '"day_spent"', '"never"', LASTING, "day_limit-AllowanceError"),
    one("a withdrawn token looks like a missing right", 'found.code == "token_withdrawn"', "False", LASTING,
        "revoked-SignInError"),
    one("a missing right stops the whole connection", '== "token_withdrawn"', 'in ("token_withdrawn", "no_right")',
        "test_checking.py::test_a_right_that_is_missing_stops_its_stream_and_no_other", says="no_right"),
    one("a call goes beside the door", '        yield Finding("ok", "sign_in"',
        '        [__import__("requests").get(f"{self.connection.base_url}/api/ping") for _ in range(9)]\n'
        '        yield Finding("ok", "sign_in"', "test_limits.py::test_every_call_passes_the_limiter"),
    one("the estimate counts something else", '["total"])', '["total"]) + 1',
        "test_reading.py::test_the_count_of_an_estimate_is_the_number_of_rows", says="18"),
    one("a refusal has no verdict", VERDICT, "                continue", REFUSED, "refused_row"),
    one("a refusal counts as accepted", '            if verdict["ok"]:', "            if True:", REFUSED, "half_batch"),
    one("a lock waits for a person", ', "locked": "retry"', "", REFUSED, "locked_row", "park"),
    one("a deleted deal waits for a person", '"gone": "gone", "locked"', '"gone": "park", "locked"',
        "test_writing.py::test_an_id_that_is_not_there_is_gone", says="'park' == 'gone'"),
    one("a value is never emptied", "for name, v in one.fields.items()}", "for name, v in one.fields.items() if v is not None}",
        "test_writing.py::test_a_value_is_emptied"),
    one("a batch is bigger than the CRM takes", "write_batch = 50", "write_batch = 100",
        "test_writing.py::test_more_rows_than_one_batch_are_all_written", says="bad_batch"),
    one("our fields stay behind", '                self.http.delete(f"/api/fields/deals/{spec.name}")\n', "",
        "test_writing.py::test_provisioning_twice_makes_nothing_twice_and_undoing_it_leaves_nothing"),
)  # fmt: skip


def plant(site: Path, kind: str, defect: tuple[tuple[str, str], ...]) -> None:
    """Writes the tutorial's package as a kind of its own, with a defect in its connector."""
    package = site / f"scoreback_{kind}"
    package.mkdir()
    for source in PACKAGE.glob("*.*"):
        text = source.read_text(encoding="utf-8")
        for old, new in defect if source.name == "connector.py" else ():
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the tutorial's connector"
            text = text.replace(old, new)
        (package / source.name.replace("abacus", kind)).write_text(text.replace("abacus", kind), encoding="utf-8")


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of every claim that was made of a mutant, and of the sound connector: the line of pytest's summary."""
    site = tmp_path_factory.mktemp("site")
    kinds = {f"mutant{number}": mutant for number, mutant in enumerate(MUTANTS)}
    plant(site, "sound", ())
    for kind, mutant in kinds.items():
        plant(site, kind, mutant.defect)
    names = ["sound", *kinds]
    groups = {"connectors": "connector:Abacus", "emulators": "emulator:AbacusEmulator"}
    lines = [f"[scoreback.{group}]\n" + "\n".join(f"{name} = scoreback_{name}.{what}" for name in names) for group, what in groups.items()]  # fmt: skip
    info = site / "mutants-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mutants\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    nodes = [mutant.node(kind) for kind, mutant in kinds.items()]
    nodes += dict.fromkeys(mutant.node("sound") for mutant in MUTANTS)
    wanted = [option for name in names for option in ("--kind", name)]
    shown = ["-q", "-rA", "--tb=no", "--show-capture=no", "-p", "no:randomly", "-n0"]
    done = subprocess.run(  # noqa: S603 - our own suite
        [sys.executable, "-m", "pytest", *wanted, *shown, *nodes], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(site), "COLUMNS": "2000"},
    )  # fmt: skip
    found = re.findall(r"^(?:PASSED|FAILED|ERROR) tests/.*$", done.stdout, re.MULTILINE)
    assert len(found) == len(nodes), done.stdout[-3000:] + done.stderr[-1000:]
    return {line.partition(" ")[2].partition(" - ")[0]: line for line in found}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "mutant"), list(enumerate(MUTANTS)), ids=[mutant.name for mutant in MUTANTS])
def test_a_defect_fails_the_claim_that_is_about_it(settled: dict[str, str], number: int, mutant: Mutant) -> None:
    line = settled[mutant.node(f"mutant{number}")]

    assert line.startswith("FAILED ")
    assert mutant.says in line.partition(" - ")[2]


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_sound_connector_fails_none_of_them(settled: dict[str, str], mutant: Mutant) -> None:
    assert settled[mutant.node("sound")].startswith("PASSED ")
