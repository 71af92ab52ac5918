"""An organisation with one currency names none in its rows: the connector says which."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

MakeOrg = Callable[..., Any]
ORGANISATION = "GET /services/data/{version}/connect/organization"


@pytest.fixture
def single(make_org: MakeOrg, world: Any) -> Any:
    """An organisation whose only currency is the euro."""
    return make_org({**world, "rates": []})


@pytest.mark.parametrize("stream", ["opportunity", "target"])
def test_every_amount_is_in_the_only_currency(single: Any, stream: str) -> None:
    found = single.read(single.connect(), stream)

    assert {record.currency for record in found.values()} == {"EUR"}


def test_a_changed_deal_has_its_currency_in_a_new_process_too(single: Any) -> None:
    single.read(single.connect(), "opportunity")
    start = single.now - timedelta(days=400)

    found = single.read(single.connect(), "opportunity", start)

    assert {record.currency for record in found.values()} == {"EUR"}


def test_a_deal_fetched_by_its_id_has_its_currency(single: Any) -> None:
    connector = single.connect()

    pages = list(connector.fetch(single.streams["opportunity"], [single.id("opportunities", "100")]))

    assert [deal.currency for deal in single.records(connector, pages)] == ["EUR"]


def test_the_organisation_is_asked_once(single: Any) -> None:
    connector = single.connect()

    calls = single.calls(lambda: [single.read(connector, name) for name in ("opportunity", "target", "opportunity")])

    assert calls[ORGANISATION] == 1


def test_an_organisation_with_several_is_not_asked(org: Any) -> None:
    connector = org.connect()

    assert ORGANISATION not in org.calls(lambda: [org.read(connector, name) for name in ("opportunity", "target")])


def test_a_currency_of_the_mapping_costs_no_question(single: Any) -> None:
    connector = single.connect(fields={"opportunity": {"currency": {"value": "CHF"}}})

    calls = single.calls(lambda: single.read(connector, "opportunity"))

    assert ORGANISATION not in calls
    assert {deal.currency for deal in single.read(connector, "opportunity").values()} == {"CHF"}


def test_where_the_organisation_does_not_say_the_currency_is_unknown_and_check_says_so(single: Any) -> None:
    single.emulator.faults.arm({"name": "no_permission", "match": "connect/organization", "times": 9})
    connector = single.connect()

    found = single.read(connector, "opportunity")
    [finding] = [one for one in connector.check() if one.where == "currency"]

    assert {deal.currency for deal in found.values()} == {None}
    assert finding.level == "warning"
    assert "map currency" in finding.advice


@pytest.mark.parametrize(
    ("rates", "text"), [([], "in EUR"), (None, "rates against EUR")], ids=["one currency", "several"]
)
def test_check_says_what_amounts_are_in(make_org: MakeOrg, world: Any, rates: Any, text: str) -> None:
    org = make_org(world if rates is None else {**world, "rates": rates})

    [finding] = [one for one in org.connect().check() if one.where == "currency"]

    assert (finding.level, text in finding.text) == ("ok", True)
