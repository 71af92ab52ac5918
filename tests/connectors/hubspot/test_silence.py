"""Properties that an answer does not have."""

from typing import Any

from connectors.hubspot.silence import Silence


def test_a_server_that_leaves_empty_properties_out_is_asked_for_its_definitions_once() -> None:
    asked: list[str] = []

    def definitions(remote: str) -> dict[str, dict[str, Any]]:
        asked.append(remote)
        return {"amount": {}, "dealname": {}, "dealtype": {}}

    silence = Silence(definitions)
    pages: list[list[dict[str, Any]]] = [
        [{"properties": {"amount": "1"}}],
        [{"properties": {}}, {"properties": {"dealname": "D"}}],
        [{"properties": {"amount": "1", "dealname": "D"}}],
        [],
    ]

    found = [silence.lacks("deals", ["amount", "dealname", "dealtype"], page) for page in [*pages, *pages]]

    assert (set(found), asked) == ({frozenset()}, ["deals", "deals"])


def test_a_property_that_no_row_of_an_answer_has_is_told_if_it_is_gone() -> None:
    silence = Silence(lambda _remote: {"amount": {}})
    rows_without: list[dict[str, Any]] = [{"properties": {"amount": "1"}}, {"properties": {"amount": None}}]

    assert silence.lacks("deals", ["amount", "legacy"], rows_without) == {"legacy"}
