"""How much may vanish at once before it is not believed, and which missing fields stop a stream."""

import pytest

from connectors.base import Stream
from connectors.errors import MissingFieldsError
from connectors.settings import ConnectionSettings
from sync.lacking import refuse_lacks
from sync.pulled import StreamOutcome
from sync.suspicion import is_suspicious, is_unreadable

DEALS = Stream(
    "opportunity", "deals", fields={"remote_id": "id", "amount": "amount", "next_step": "step", "type": "kind"}
)


@pytest.mark.parametrize(
    ("gone", "known", "suspicious"),
    [
        pytest.param(0, 0, False, id="nothing of nothing"),
        pytest.param(1, 1, True, id="the only row"),
        pytest.param(4, 5, False, id="most of a few"),
        pytest.param(5, 5, True, id="all of a few"),
        pytest.param(2, 6, True, id="a third of six"),
        pytest.param(20, 100, False, id="a fifth"),
        pytest.param(21, 100, True, id="more than a fifth"),
    ],
)
def test_all_rows_or_more_than_a_fifth_of_more_than_a_few_are_suspicious(
    gone: int, known: int, suspicious: bool
) -> None:
    assert is_suspicious(gone, known, 0.2) is suspicious


@pytest.mark.parametrize(
    ("rows", "unreadable", "whole", "stops"),
    [(3, 3, True, True), (3, 3, False, False), (3, 2, True, False), (100, 20, True, False), (100, 21, False, True)],
)
def test_a_stream_of_which_too_much_cannot_be_understood_stops(
    rows: int, unreadable: int, whole: bool, stops: bool
) -> None:
    assert is_unreadable(StreamOutcome("rate", rows, unreadable=unreadable), 0.2, whole=whole) is stops


def connection(**fields: str) -> ConnectionSettings:
    return ConnectionSettings.model_validate({"kind": "test", "fields": {"opportunity": fields}}).named("crm")


@pytest.mark.parametrize(
    ("lacks", "known", "stops"),
    [
        pytest.param({"step"}, None, False, id="never seen, and no score stands on it"),
        pytest.param({"amount"}, None, True, id="never seen, but needed"),
        pytest.param({"Kind__c"}, None, True, id="never seen, but named by the admin"),
        pytest.param({"step"}, frozenset(), True, id="seen before"),
        pytest.param({"step"}, frozenset({"step"}), False, id="known to be missing"),
    ],
)
def test_a_missing_field_stops_a_stream_if_it_was_there_or_is_wanted(
    lacks: set[str], known: frozenset[str] | None, stops: bool
) -> None:
    settings = connection(type="Kind__c")

    if not stops:
        refuse_lacks(settings, DEALS, lacks, known)
        return
    with pytest.raises(
        MissingFieldsError, match=r"crm: opportunity: .*fields\.opportunity\.\w+ in connections/crm\.yaml"
    ):
        refuse_lacks(settings, DEALS, lacks, known)
