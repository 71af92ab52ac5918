"""Which connectors the contract is held against: ``--kind KIND`` (repeatable), by default every kind with an emulator."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import kinds
from sync.cli.emulators import emulated_kinds
from tests.contract.claims import Claims
from tests.contract.rig import ACCOUNTS, PEOPLE, STAGES, Rig, Row, rig, write_world

Start = Callable[..., Rig]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kind", action="append", help="hold the contract against this kind of connector only")
    parser.addoption("--claims", action="store_true", help="one line for each claim instead of dots")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("claims", None):
        config.pluginmanager.register(Claims(config), "claims")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        asked = metafunc.config.getoption("kind", None)
        metafunc.parametrize(
            "kind", asked or [kind for kind in [*emulated_kinds(), "csv"] if kind in kinds()], scope="session"
        )


@pytest.fixture
def start(kind: str, tmp_path: Path, built_sqlite: Path) -> Iterator[Start]:
    """Starts the CRM with some deals (and other tables by keyword): people p1 and p2, accounts a1 and a2, four stages.

    ``company`` maps what the simulated company keeps in fields and objects of its own.
    """
    with ExitStack() as stack:

        def begin(
            deals: Sequence[Row] = (),
            *,
            emulator: dict[str, Any] | None = None,
            company: bool = False,
            **tables: Sequence[Row],
        ) -> Rig:
            usual = {"people": PEOPLE, "accounts": ACCOUNTS, "stages": STAGES, "opportunities": deals}
            world = write_world(tmp_path / "world", **{**usual, **tables})
            return stack.enter_context(rig(kind, tmp_path, world, built_sqlite, company=company, **(emulator or {})))

        yield begin
