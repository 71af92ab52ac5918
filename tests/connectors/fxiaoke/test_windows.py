"""Pages, resumption, costs and vanished fields."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import ContractError, ForbiddenError, MappingError, RetryLaterError

MakeTenant = Callable[..., Any]
OLD = datetime(2026, 1, 1, tzinfo=UTC)


def deals(count: int, **cells: str) -> dict[str, list[dict[str, str]]]:
    row = {"stage": "talk", "outcome": "open", "amount": "5", "modified_at": "2026-02-01T10:00:00Z", **cells}
    return {"opportunities": [{"id": str(number), "name": f"Deal {number}", **row} for number in range(1, count + 1)]}


@pytest.mark.parametrize(("rows", "calls"), [(0, 1), (99, 1), (100, 2), (101, 2), (250, 3)])
def test_a_full_pull_costs_one_call_a_page_and_no_offset(make_tenant: MakeTenant, rows: int, calls: int) -> None:
    tenant = make_tenant(deals(rows))
    connector = tenant.connect()
    tenant.pages(connector, "opportunity")

    made = tenant.calls(lambda: tenant.pages(connector, "opportunity"))

    assert made == {"crm/v2/data/query": calls}
    assert connector.calls_for(tenant.streams["opportunity"], rows) == calls


def test_a_shorter_page_than_was_asked_for_is_not_the_end(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(23), page_cap=5)

    found = tenant.read(tenant.connect(), "opportunity")

    assert len(found) == 23


def test_a_pull_goes_on_behind_the_page_that_was_stored(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(23), page_cap=5)
    connector = tenant.connect()
    first, second, *_ = tenant.pages(connector, "opportunity")

    rest = tenant.pages(connector, "opportunity", resume=second.resume)

    seen = [
        raw.fields["_id"] for page in (first, second, *rest) for raw in page.rows if raw.stream.name == "opportunity"
    ]
    assert (len(seen), len(set(seen))) == (23, 23)
    assert rest[-1].resume is None


def test_a_record_that_moves_between_two_pages_is_read_once(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(23), page_cap=5)
    connector = tenant.connect()
    tenant.arm("moving_record", times=4)

    found = tenant.pages(connector, "opportunity", OLD)

    ids = [raw.fields["_id"] for page in found for raw in page.rows if raw.stream.name == "opportunity"]
    assert len(ids) == len(set(ids))
    assert len(ids) >= 22


def test_an_idle_window_costs_one_call_of_each_stream_also_in_a_new_process(tenant: Any) -> None:
    first = tenant.connect()
    names = [name for name, one in tenant.streams.items() if first.connection.stream(name) and one.schedule == "cycle"]
    for name in names:
        tenant.pages(first, name)
    second = tenant.connect()
    second.learnt.update(first.learnt)
    later = tenant.now - timedelta(seconds=1)

    calls = tenant.calls(lambda: [tenant.pages(second, name, later) for name in names])

    own = [name for name in names if not tenant.streams[name].filled_by]
    # One of them is the directory, and one call more tells which orders changed.
    assert calls == {
        "corpAccessToken/get/V2": 1, "user/getByMobile": 1, "user/list": 1, "crm/v2/data/query": len(own),
    }  # fmt: skip


def test_ids_and_counts_are_those_of_a_full_pull(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(23), page_cap=5)
    connector, stream = tenant.connect(), tenant.streams["opportunity"]

    ids = [one for portion in connector.ids(stream) for one in portion]

    assert sorted(ids) == sorted(tenant.read(connector, "opportunity"))
    assert connector.count(stream) == 23


def test_an_invalid_record_is_deleted_and_in_no_list_of_ids(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(3), shows_invalid=True)
    connector, stream = tenant.connect(), tenant.streams["opportunity"]
    tenant.emulator.edit("opportunities", "2", {"life_status": "invalid"})
    gone = tenant.id("opportunities", "2")

    deal = tenant.read(connector, "opportunity")[gone]

    assert deal.deleted
    assert gone not in {one for portion in connector.ids(stream) for one in portion}


def test_rows_are_fetched_by_id_and_what_is_gone_is_left_out(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(230), page_cap=7)
    connector, stream = tenant.connect(), tenant.streams["opportunity"]
    wanted = [tenant.id("opportunities", str(number)) for number in range(1, 221)]
    tenant.emulator.remove("opportunities", "5")

    found = [raw.fields["_id"] for page in connector.fetch(stream, wanted) for raw in page.rows]

    assert sorted(found) == sorted(set(wanted) - {tenant.id("opportunities", "5")})


def test_employees_are_never_compared_by_id(tenant: Any) -> None:
    connector = tenant.connect()

    assert connector.ids(tenant.streams["person"]) is None
    assert connector.ids(tenant.streams["history"]) is None


def test_a_mapped_field_that_is_not_there_is_named_with_every_page(tenant: Any) -> None:
    connector = tenant.connect(fields={"opportunity": {"next_step": "no_such__c"}})

    [page] = tenant.pages(connector, "opportunity")

    assert page.lacks == {"no_such__c"}


def test_a_field_that_vanishes_is_noticed_in_the_rows_and_looked_for_again(tenant: Any) -> None:
    first = tenant.connect()
    [before] = tenant.pages(first, "opportunity")
    second, third = tenant.connect(), tenant.connect()
    second.learnt.update(first.learnt)
    tenant.arm("missing_field", field="amount", object="NewOpportunityObj", times=None)

    [without] = tenant.pages(second, "opportunity")
    tenant.emulator.faults.clear()
    third.learnt.update(second.learnt)
    [after] = tenant.pages(third, "opportunity")

    assert (before.lacks, without.lacks, after.lacks) == (frozenset(), {"amount"}, frozenset())


@pytest.mark.parametrize("field", ["amount", "sales_status", "close_date", "owner", "create_time", "sales_stage"])
def test_a_field_of_another_type_than_before_is_no_value(tenant: Any, field: str) -> None:
    connector = tenant.connect()
    tenant.pages(connector, "opportunity")
    tenant.arm("wrong_type", field=field, object="NewOpportunityObj", times=None)

    with pytest.raises((MappingError, ContractError)):
        tenant.read(connector, "opportunity")


def test_a_field_that_a_tenant_does_not_have_is_not_looked_for_at_each_pull(tenant: Any) -> None:
    del tenant.emulator.tenant.objects["AccountObj"].fields["parent_account_id"]
    connector = tenant.connect()
    [page] = tenant.pages(connector, "account")

    calls = tenant.calls(lambda: tenant.pages(connector, "account"))

    assert page.lacks == {"parent_account_id"}
    assert calls == {"crm/v2/data/query": 1}


def test_a_tenant_with_one_currency_lacks_it_and_asks_no_more(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(3, currency="CNY"))
    connector = tenant.connect()

    [page] = tenant.pages(connector, "opportunity")
    calls = tenant.calls(lambda: tenant.pages(connector, "opportunity"))

    assert page.lacks == {"mc_currency"}
    assert calls == {"crm/v2/data/query": 1}


def test_too_many_calls_are_answered_with_the_patience_of_their_window(tenant: Any) -> None:
    tenant.arm("too_many", times=1, match="data/query")

    found = tenant.read(tenant.connect(), "opportunity")

    assert len(found) == 3
    assert 20.0 in tenant.slept


def test_a_busy_system_is_asked_again_and_then_left_alone(tenant: Any) -> None:
    tenant.arm("busy", times=2)
    assert len(tenant.read(tenant.connect(), "opportunity")) == 3

    tenant.arm("timed_out", times=None)
    with pytest.raises(RetryLaterError, match="50009"):
        tenant.read(tenant.connect(), "opportunity")


def test_our_pace_keeps_under_the_limit_of_the_interface(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(deals(3), limits="vendor")
    connector = tenant.connect()
    for _ in range(95):
        tenant.pages(connector, "opportunity")

    waited = [seconds for seconds in tenant.slept if seconds > 1]

    assert waited  # before the vendor's hundredth call
    assert max(waited) <= 20


def test_an_object_that_is_missing_is_no_error_where_tenants_may_lack_it(tenant: Any) -> None:
    del tenant.emulator.tenant.objects["RefundObj"]
    connector = tenant.connect()

    found = tenant.pages(connector, "refund")
    again = tenant.calls(lambda: tenant.pages(connector, "refund"))

    assert (found, again) == ([], {})


def test_a_missing_right_closes_its_stream(make_tenant: MakeTenant) -> None:
    tenant = make_tenant(no_rights=["AccountObj"])

    with pytest.raises(ForbiddenError, match="20014"):
        tenant.read(tenant.connect(), "account")


def test_a_page_instead_of_an_answer_is_a_wrong_host(tenant: Any) -> None:
    tenant.arm("html", times=None)

    with pytest.raises(ContractError, match="base_url must be the host"):
        tenant.read(tenant.connect(), "account")


def test_a_first_load_can_begin_at_a_day(tenant: Any) -> None:
    found = tenant.read(tenant.connect(), "opportunity", since=date(2026, 2, 5))

    assert set(found) == {tenant.id("opportunities", "101")}


def test_a_window_holds_its_start_and_not_its_end(tenant: Any) -> None:
    connector = tenant.connect()
    moment = datetime(2026, 2, 10, 15, tzinfo=UTC)

    step = timedelta(milliseconds=1)

    inside = tenant.read(connector, "opportunity", moment)
    after = tenant.read(connector, "opportunity", moment + step)
    before = tenant.read(connector, "opportunity", moment - step, end=moment)

    assert (set(inside), set(after), set(before)) == ({tenant.id("opportunities", "101")}, set(), set())


@pytest.mark.parametrize("ignored", ["filters", "orders"])
def test_rows_out_of_the_order_asked_for_end_a_pull_rather_than_go_on_for_ever(
    make_tenant: MakeTenant, monkeypatch: pytest.MonkeyPatch, ignored: str
) -> None:
    tenant = make_tenant(deals(23), page_cap=5)
    connector = tenant.connect()
    post = connector.http.post

    def unheard(path: str, **kwargs: Any) -> Any:
        search = (kwargs["json"].get("data") or {}).get("search_query_info")
        if search and ignored == "filters":
            search["filters"] = []
        elif search:
            search["orders"] = [{"fieldName": "_id", "isAsc": False}]
        return post(path, **kwargs)

    monkeypatch.setattr(connector.http, "post", unheard)

    with pytest.raises(ContractError, match="not in the order asked for"):
        tenant.pages(connector, "opportunity")
