"""Limits: told waits are kept, a spent day is not asked for more, and all connections of one account wait in one line."""

import shutil
from contextlib import closing

import pytest

from connectors.base import Window
from connectors.registry import limiter_for, open_connector
from connectors.sandbox.faults import Fault
from connectors.sandbox.routing import Reply, Request
from connectors.settings import ConnectionSettings
from sync.config import load_config
from tests.contract.conftest import Start
from tests.contract.rig import Rig, deal

COUNT = 12
TOLD = 7.0


def begin(start: Start) -> Rig:
    rig = start([deal(number) for number in range(COUNT)], emulator={"page_cap": 5})
    if rig.kind == "csv":
        pytest.skip("a folder has no limits")
    return rig


def test_a_wait_that_the_crm_names_is_kept(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = begin(start)
    refuse = rig.emulator.refusal
    if "Retry-After" not in refuse(Fault("too_many_retry_after"), Request("GET", "/")).headers:
        pytest.skip(f"{rig.kind} never says how long to wait")

    def in_seconds(fault: Fault, request: Request) -> Reply:
        reply = refuse(fault, request)
        reply.headers["Retry-After"] = str(int(TOLD))
        return reply

    monkeypatch.setattr(rig.emulator, "refusal", in_seconds)
    rig.arm("too_many_retry_after", after=2)

    rig.pull_whole()

    assert [seconds for seconds in rig.paused if TOLD <= seconds < TOLD + 1]


def test_without_a_word_the_wait_grows(start: Start) -> None:
    rig = begin(start)
    rig.arm("too_many", after=2, times=3)

    rig.pull_whole()

    waits = [seconds for seconds in rig.paused if seconds > 0]
    assert len(waits) >= 3
    assert max(waits) > 1.5  # the third is two seconds and more, the first half a second and more
    assert len(rig.present("opportunity")) == COUNT


def test_of_a_spent_day_nothing_more_is_asked(start: Start) -> None:
    rig = begin(start)
    rig.pull_whole()
    rig.arm("day_limit", times=None)
    rig.calls()

    rig.pull()

    # Some CRMs say no more than "too many" for both limits: then the usual tries are made, and the clock and sign-in asked.
    assert rig.calls() <= rig.connector_class.manners.tries + 3


def test_every_call_passes_the_limiter(start: Start) -> None:
    rig = begin(start)
    settings = load_config(rig.folder / "config").connections["crm"]
    limiter = limiter_for(settings)
    used = limiter.used_today
    rig.calls()

    with closing(open_connector(settings, limiter=limiter)) as connector:
        list(connector.check())
        for stream in filter(rig.reads, connector.streams):
            list(connector.pull(stream, Window(None, connector.now(), streams=frozenset({stream.name})), None))

    assert limiter.used_today - used >= rig.calls() > 0


def test_two_connections_of_one_account_share_one_limiter(start: Start) -> None:
    rig = begin(start)

    first, second = limiter_for(settings_of(rig, "first")), limiter_for(settings_of(rig, "second"))
    elsewhere = limiter_for(settings_of(rig, "elsewhere", host="localhost"))

    assert first is second
    assert first is not elsewhere


def settings_of(rig: Rig, name: str, host: str = "127.0.0.1") -> ConnectionSettings:
    """The connection as another configuration has it: one may not name the same account twice."""
    folder = rig.folder / name
    shutil.copytree(rig.folder / "config", folder)
    file = (folder / "connections" / "crm.yaml").rename(folder / "connections" / f"{name}.yaml")
    file.write_text(file.read_text(encoding="utf-8").replace("127.0.0.1", host), encoding="utf-8")
    return load_config(folder).connections[name]
