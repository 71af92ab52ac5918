"""Each fault of the emulators on a cycle: how the run ends, what it says, and that nothing is lost."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import tenacity

from connectors import http
from connectors.salesforce import manners
from connectors.sandbox.faults import CATALOGUE
from sync.pull import PullOptions
from sync.run import CycleOutcome
from sync.store.books import Outbox
from sync.store.outbox import parked, unpark
from sync.store.state import book
from tests.sync.company import Company, write_world
from tests.sync.states import State, differing, opened, state

End = Literal["healed", "failed", "sign_in"]


@dataclass(frozen=True)
class Case:
    """A fault as it is armed, how a run under it ends, and what its message has to say."""

    kind: str
    fault: str
    end: End
    says: tuple[str, ...] = ()
    armed: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {self.fault}"


WRITE = {"salesforce": "composite/sobjects", "hubspot": "batch/update"}
READ = {"salesforce": "query", "hubspot": "objects"}

CASES = [
    Case("salesforce", "expired_token", "healed"),
    Case("hubspot", "expired_token", "sign_in", ("sign_in",)),  # a static token has nothing to renew it with
    *(
        case
        for kind in ("salesforce", "hubspot")
        for case in (
            Case(kind, "revoked", "sign_in", ("sign_in",)),
            Case(kind, "too_many", "healed"),
            Case(kind, "too_many_retry_after", "healed"),
            Case(kind, "day_limit", "failed", ("(?i)limit|day", "(?i)nothing more|asked again")),
            Case(kind, "server_error", "healed", armed={"match": READ[kind]}),
            Case(kind, "server_error", "failed", ("500", "next run"), {"times": None, "match": READ[kind]}),
            Case(kind, "server_error", "failed", ("500", "outbox"), {"times": None, "match": WRITE[kind]}),
            Case(kind, "bad_gateway", "healed", armed={"times": 3}),
            Case(kind, "slow", "healed", armed={"seconds": 0.2, "times": 3}),
            Case(kind, "cut", "healed", armed={"match": READ[kind], "times": 2}),
            Case(kind, "cut", "healed", armed={"match": WRITE[kind]}),
            Case(kind, "truncated", "healed", armed={"match": READ[kind], "times": 2}),
            Case(kind, "clock_skew", "healed"),
            Case(kind, "refused_row", "failed", ("1 refused", "status"), {"match": WRITE[kind]}),
            Case(kind, "locked_row", "failed", ("1 kept for another try",), {"match": WRITE[kind]}),
            Case(kind, "half_batch", "failed", ("refused", "status"), {"match": WRITE[kind]}),
            Case(kind, "no_permission", "failed", ("right", "other"), {"match": READ[kind]}),
        )
    ),
    Case("salesforce", "empty", "healed"),
    Case("hubspot", "empty", "failed", ("NO_USER_RECORD", "status")),  # owners have an endpoint of their own
    Case("hubspot", "wrong_type", "failed", ("createdate|created_at",), {"field": "createdate", "object": "deals"}),
    Case("salesforce", "wrong_type", "failed", ("Amount|amount",), {"field": "Amount", "object": "Opportunity"}),
    Case(
        "salesforce",
        "missing_field",
        "failed",
        ("StageName", "permission"),
        {"field": "StageName", "object": "Opportunity"},
    ),
    Case("salesforce", "missing_field", "healed", armed={"field": "NextStep", "object": "Opportunity"}),
    Case("hubspot", "missing_field", "healed", armed={"field": "hs_next_step", "object": "deals"}),
]


FACTS = ("person", "account", "stage", "opportunity", "activity", "target", "rate")

NOT_TOLD = {"missing_field"}
"""When a field can be seen again no row says that it changed: the admin reads everything once (`pull --full`). The facts
are whole then, and so are the scores with the next day's peers."""


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("world"), deals=50, people=6)


@pytest.fixture(scope="module")
def start() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=10)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once; how long they wait is tested with the door."""
    monkeypatch.setattr(http, "_BACKOFF", tenacity.wait_none())
    monkeypatch.setattr(manners, "_BUSY_SECONDS", 0.0)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, small_world: Path, start: datetime) -> Callable[[str], State]:
    """The end state without any fault, by CRM."""
    known: dict[str, State] = {}

    def of(kind: str) -> State:
        if kind not in known:
            with opened(tmp_path_factory.mktemp(kind), small_world, start, [kind]) as company:
                company.set("push: {hysteresis: 0}\n")
                assert not company.cycle().failed
                assert not company.cycle().failed
                known[kind] = settled(company)
        return known[kind]

    return of


def end_of(outcome: CycleOutcome) -> End:
    return "sign_in" if outcome.sign_in_refused else "failed" if outcome.failed else "healed"


def words_of(outcome: CycleOutcome, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints for it."""
    from sync.cli.work import _print_cycle

    capsys.readouterr()
    _print_cycle(outcome)
    return "".join(capsys.readouterr())


def settled(company: Company) -> State:
    """The state without what rides along with a score: fingerprint, day counts and wording (decision 0008)."""
    found = state(company)
    results = {
        key: (score, grade, status, payload["plan"], payload.get("amount"), payload.get("attainment"))
        for key, (score, grade, status, payload) in found["results"].items()
    }
    rows = {
        name: {key: leading(row) for key, row in rows.items()} for name, rows in found.items() if _holds_fields(name)
    }
    facts = {f"{kind} now": {key: versions[-1] for key, versions in found[kind].items()} for kind in FACTS}
    return {**rows, **facts, "results": results, "waiting": found["waiting"]}


def _holds_fields(name: str) -> bool:
    return name == "accepted" or name.split(maxsplit=1)[0] in WRITE


def leading(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields.items()
        if not re.search("(?i)scoreback_(reasons|digest|attainment)", name)
    }


def repair(company: Company) -> None:
    """The fault is gone, what was refused is tried again, and what waits for its minute or its hour has waited."""
    company.disarm()
    for path in (company.config_folder / "connections").iterdir():
        path.write_text(path.read_text(encoding="utf-8") + "metadata_every: 0s\n", encoding="utf-8")
    outbox = book(Outbox)
    with company.store() as store, store.writing() as tx:
        unpark(tx)
        tx.db.execute(outbox.update().values(next_try_at=None))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_ends_the_run_as_it_should_and_loses_nothing(
    tmp_path: Path,
    small_world: Path,
    start: datetime,
    undisturbed: Callable[[str], State],
    capsys: pytest.CaptureFixture[str],
    case: Case,
) -> None:
    expected = undisturbed(case.kind)
    with opened(tmp_path, small_world, start, [case.kind]) as company:
        company.set("push: {hysteresis: 0}\n")
        company.arm(case.kind, case.fault, **case.armed)
        outcome = company.cycle()
        words = words_of(outcome, capsys)
        repair(company)
        after = company.cycle(pull=PullOptions(full=case.fault in NOT_TOLD))
        ended = settled(company)

    assert end_of(outcome) == case.end, words
    for said in case.says:
        assert re.search(said, words), words
    assert not after.failed, words_of(after, capsys)
    same = expected if case.fault not in NOT_TOLD else [f"{kind} now" for kind in FACTS]
    assert {name: differing(ended[name], expected[name]) for name in same if ended[name] != expected[name]} == {}


def test_every_fault_of_the_catalogue_is_tried() -> None:
    elsewhere = {"deleted_meanwhile", "late_commit"}  # below: they change what the CRM holds

    assert {case.fault for case in CASES} | elsewhere == set(CATALOGUE)


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_a_deal_that_is_deleted_while_we_write_to_it_is_dropped_without_ado(
    tmp_path: Path, small_world: Path, start: datetime, kind: str
) -> None:
    with opened(tmp_path, small_world, start, [kind]) as company:
        company.arm(kind, "deleted_meanwhile", match=WRITE[kind])
        outcome = company.cycle()
        later = company.cycle()
        left = state(company)["waiting"]

    assert outcome.pushes[0].gone == 1
    assert not outcome.failed
    assert not later.failed
    assert left == {}


def test_scores_are_kept_where_an_admin_took_our_own_object_away(
    tmp_path: Path, small_world: Path, start: datetime
) -> None:
    with opened(tmp_path, small_world, start, ["salesforce"]) as company:
        company.command("provision", "--remove")

        outcome = company.cycle()

        with company.store() as store, store.reading() as tx:
            kept = [row for row in parked(tx) if row.target]
    assert outcome.failed
    assert outcome.pushes[0].gone == 0
    assert kept


@pytest.mark.parametrize("kind", ["salesforce", "hubspot"])
def test_a_change_that_becomes_visible_late_is_found(
    tmp_path: Path, small_world: Path, start: datetime, kind: str
) -> None:
    with opened(tmp_path, small_world, start, [kind]) as company:
        company.cycle()
        deal = company.deals(kind)[0]
        company.arm(kind, "late_commit", seconds=300)
        company.edit(kind, "opportunities", deal["id"], amount="98765.00")
        company.disarm()

        outcome = company.cycle()

    changed = {part.stream: part.changed for part in outcome.pulls[0].streams}
    assert changed["opportunity"] == 1


PRINTED = [
    ("salesforce", "server_error", {"match": "query"}, 0, ("done",)),
    (
        "hubspot",
        "refused_row",
        {"match": "batch/update"},
        1,
        ("hubspot:", "1 refused and parked", "`scoreback status` lists them"),
    ),
    (
        "hubspot",
        "no_permission",
        {"match": "/calls"},
        1,
        ("hubspot:", "403", "Grant the right", "switch the stream off. What was read of call", "the other streams ran"),
    ),
    (
        "salesforce",
        "revoked",
        {},
        3,
        ("salesforce:", "Check sign_in", "What was read before is kept"),
    ),
    ("salesforce", "day_limit", {}, 1, ("salesforce:", "REQUEST_LIMIT_EXCEEDED", "until the CRM has room", "kept")),
]


@pytest.mark.parametrize(("kind", "fault", "armed", "code", "says"), PRINTED, ids=[case[1] for case in PRINTED])
def test_the_command_ends_with_the_right_code_and_says_where_what_and_what_to_do(
    tmp_path: Path,
    small_world: Path,
    start: datetime,
    kind: str,
    fault: str,
    armed: dict[str, Any],
    code: int,
    says: tuple[str, ...],
) -> None:
    with opened(tmp_path, small_world, start, [kind]) as company:
        company.arm(kind, fault, **armed)

        ended = company.command("run", "--once")

    assert ended.returncode == code, ended.stderr
    for said in says:
        assert said in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_one_crm_that_refuses_us_leaves_the_other_running(company: Company) -> None:
    company.arm("hubspot", "revoked")

    ended = company.command("run", "--once")

    assert ended.returncode == 3, ended.stderr
    assert re.search(r"salesforce: [\d,]+ records written", ended.stdout)
    assert "the other connections ran" in ended.stderr
