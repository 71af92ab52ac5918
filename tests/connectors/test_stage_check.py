"""What `check` says of stages that the connection file leaves out."""

from typing import Any

import pytest

from connectors.settings import ConnectionSettings
from connectors.stage_check import unmapped_stages

THERE = [("default", "1"), ("default", "2"), ("renewals", "1")]


def connection(stages: dict[str, Any]) -> ConnectionSettings:
    return ConnectionSettings.model_validate({"kind": "test", "stages": stages}).named("crm")


def one(stage: str) -> dict[str, str]:
    return {"stage": stage, "outcome": "open"}


@pytest.mark.parametrize(
    ("stages", "missing"),
    [
        pytest.param({"Default": [one("1"), one("2")]}, None, id="the default pipeline stands for all"),
        pytest.param({"default": [one("1")]}, "not mapped: 2 (of default)", id="one is missing"),
        pytest.param(
            {"renewals": [one("1"), one("2")]}, "1 (of default), 2 (of default)", id="a pipeline stands for itself only"
        ),
    ],
)
def test_a_stage_that_the_file_does_not_name_is_named(stages: dict[str, Any], missing: str | None) -> None:
    (found,) = unmapped_stages(connection(stages), THERE)

    assert found.level == ("ok" if missing is None else "warning")
    assert missing is None or missing in found.text


def test_nothing_is_said_where_the_crm_itself_says_what_stages_mean() -> None:
    assert list(unmapped_stages(connection({}), THERE)) == []
