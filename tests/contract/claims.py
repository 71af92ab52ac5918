"""How ``scoreback test-connector`` shows the suite: one line for each claim, under the sentence of its file."""

from collections.abc import Sequence
from typing import Any

import pytest


class Claims:
    """A pytest plugin in the place of dots: what is claimed, whether it holds, and if it was not asked, why."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._kinds: list[str] = config.getoption("kind", None) or []
        self._file = ""
        self._docs: dict[str, str] = {}

    @property
    def _terminal(self) -> Any:
        return self._config.pluginmanager.getplugin("terminalreporter")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Learns the sentence of each file."""
        for item in items:
            module = getattr(item, "module", None)
            self._docs[item.nodeid.partition("::")[0]] = (getattr(module, "__doc__", None) or "").partition("\n")[0]

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Neither dots nor letters: the lines tell."""
        return (report.outcome if self._settles(report) else "", "", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Writes the line of a claim that is settled."""
        if not self._settles(report):
            return
        file = report.nodeid.partition("::")[0]
        if file != self._file:
            self._file = file
            self._terminal.write_line("")
            self._terminal.write_line(self._docs.get(file, file), bold=True)
        word, colour = {"passed": ("ok", "green"), "skipped": ("skipped", "yellow")}.get(
            report.outcome, ("FAILED", "red")
        )
        reason = f": {_reason(report)}" if report.outcome == "skipped" else ""
        self._terminal.write(f"  {word:<8}", **{colour: True})
        self._terminal.write_line(f"{sentence(report.nodeid, self._kinds)}{reason}")

    @staticmethod
    def _settles(report: pytest.TestReport) -> bool:
        return report.when == "call" or report.outcome != "passed"


def sentence(nodeid: str, kinds: Sequence[str]) -> str:
    """The claim in words: the test's name, and behind it what it was tried with; the one kind is known."""
    name, _, tried = nodeid.partition("::")[2].removeprefix("test_").partition("[")
    cases = tried.removesuffix("]")
    for kind in kinds if len(kinds) == 1 else ():
        cases = cases.removeprefix(kind).removeprefix("-")
    return name.replace("_", " ") + (f" ({cases})" if cases else "")


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ").partition("\n")[0]
