"""An emulated Fxiaoke tenant with a small world in it, and connectors to it."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.base import Page
from connectors.fxiaoke import Fxiaoke
from connectors.sandbox.fxiaoke import FxiaokeEmulator
from tests.connectors.rig import Rig, Tables, rigs

SECRETS = dict.fromkeys(("app_id", "app_secret", "permanent_code"), "sandbox")

WORLD: Tables = {
    "people": [
        {"id": "1", "name": "张三", "email": "zs@example.com", "active": "true", "team": "华东一组", "region": "华东", "role": "销售",
         "started_on": "2021-02-03", "modified_at": "2026-01-05T09:00:00Z"},
        {"id": "2", "name": "Bo Øst", "email": "bo@example.com", "active": "false", "manager_id": "1", "team": "华东一组", "region": "华东",
         "modified_at": "2026-01-06T09:00:00Z"},
    ],
    "accounts": [
        {"id": "10", "name": "极光贸易", "owner_id": "1", "industry": "制造业", "created_at": "2025-06-01T08:00:00Z",
         "modified_at": "2026-01-07T09:00:00Z"},
        {"id": "11", "name": "无主客户", "created_at": "2025-06-02T08:00:00Z", "modified_at": "2026-01-08T09:00:00Z"},
    ],
    "stages": [
        {"id": "s1", "pipeline": "标准", "stage": "talk", "label": "洽谈"},
        {"id": "s2", "pipeline": "标准", "stage": "offer", "label": "报价"},
        {"id": "s3", "pipeline": "标准", "stage": "won", "label": "赢单"},
    ],
    "opportunities": [
        {"id": "100", "name": "大单", "account_id": "10", "owner_id": "1", "pipeline": "标准", "stage": "offer", "outcome": "open",
         "amount": "12000.50", "currency": "CNY", "created_at": "2026-01-10T08:00:00Z", "close_on": "2026-04-30", "probability": "0.6",
         "discount": "0.1", "next_step": "电话", "external_id": "E-1", "modified_at": "2026-02-01T10:00:00Z"},
        {"id": "101", "name": "Won", "account_id": "10", "owner_id": "2", "pipeline": "标准", "stage": "won", "outcome": "won", "amount": "300",
         "currency": "USD", "created_at": "2025-11-01T08:00:00Z", "close_on": "2026-02-10", "closed_at": "2026-02-10T15:00:00Z",
         "modified_at": "2026-02-10T15:00:00Z"},
        {"id": "102", "name": "Lost", "account_id": "10", "owner_id": "1", "pipeline": "标准", "stage": "talk", "outcome": "lost",
         "currency": "CNY", "created_at": "2025-03-01T08:00:00Z", "close_on": "2025-09-01", "closed_at": "2025-09-01T15:00:00Z",
         "modified_at": "2025-09-01T15:00:00Z"},
    ],
    "changes": [
        {"id": "c1", "record": "opportunity", "record_id": "100", "field": "stage", "old": "talk", "new": "offer",
         "at": "2026-01-20T08:00:00Z", "by": "1"},
    ],
    "activities": [
        {"id": "a1", "kind": "call", "owner_id": "1", "opportunity_id": "100", "account_id": "10", "contact_ids": "77;78",
         "direction": "inbound", "created_at": "2026-02-02T09:00:00Z", "completed_at": "2026-02-02T09:00:00Z", "duration_seconds": "300",
         "subject_hash": "hello", "modified_at": "2026-02-02T09:00:00Z"},
        {"id": "a2", "kind": "email", "owner_id": "1", "opportunity_id": "100", "created_at": "2026-02-03T09:00:00Z",
         "completed_at": "2026-02-03T09:00:00Z", "modified_at": "2026-02-03T09:00:00Z"},
        {"id": "a3", "kind": "task", "owner_id": "2", "account_id": "10", "created_at": "2026-02-04T09:00:00Z",
         "completed_at": "2026-02-04T09:00:00Z", "modified_at": "2026-02-04T09:00:00Z"},
        {"id": "a4", "kind": "meeting", "owner_id": "1", "opportunity_id": "100", "participant_ids": "1;2",
         "planned_at": "2026-02-05T10:00:00Z", "duration_seconds": "3600", "created_at": "2026-02-04T10:00:00Z",
         "modified_at": "2026-02-04T10:00:00Z"},
        {"id": "a5", "kind": "visit", "owner_id": "1", "account_id": "10", "opportunity_id": "100", "created_at": "2026-02-06T01:00:00Z",
         "completed_at": "2026-02-06T01:00:00Z", "modified_at": "2026-02-06T01:00:00Z"},
    ],
    "line_items": [
        {"id": "l1", "opportunity_id": "100", "product": "基础版", "quantity": "2", "amount": "12000.50", "modified_at": "2026-02-01T10:00:00Z"},
    ],
    "payments": [
        {"id": "p1", "opportunity_id": "101", "amount": "100", "currency": "USD", "paid_on": "2026-03-01", "kind": "invoice"},
        {"id": "p2", "opportunity_id": "101", "amount": "90.5", "currency": "USD", "paid_on": "2026-03-05", "kind": "payment"},
        {"id": "p3", "opportunity_id": "101", "amount": "10", "currency": "USD", "paid_on": "2026-03-06", "kind": "refund"},
    ],
    "contracts": [
        {"id": "k1", "account_id": "10", "recurring_amount": "1200", "currency": "CNY", "start_on": "2026-01-01", "end_on": "2026-12-31"},
    ],
    "targets": [
        {"id": "t1", "subject_kind": "person", "subject_id": "1", "metric": "bookings", "period_start": "2026-01-01",
         "period_end": "2026-03-31", "amount": "300000", "currency": "CNY"},
        {"id": "t2", "subject_kind": "team", "subject_id": "华东一组", "metric": "bookings", "period_start": "2026-01-01",
         "period_end": "2026-01-31", "amount": "500", "currency": "CNY"},
    ],
    "surveys": [
        {"id": "v1", "person_id": "1", "account_id": "10", "opportunity_id": "101", "scale": "csat5", "answer": "4",
         "sent_at": "2026-03-01T08:00:00Z", "answered_at": "2026-03-02T08:00:00Z"},
    ],
}  # fmt: skip


class Tenant(Rig[Fxiaoke]):
    """An emulated tenant, and connectors to it."""

    kind = Fxiaoke
    emulates = FxiaokeEmulator
    sign_in: ClassVar = {**SECRETS, "mobile": "13800000000"}

    def settings(self, sign_in: Mapping[str, str] | None = None, **extra: Any) -> Any:
        """A connection file's content; ``sign_in`` stands in the place of the mobile number."""
        return super().settings(**({} if sign_in is None else {"sign_in": {**SECRETS, **sign_in}}), **extra)

    def show(self, table: str, name: str) -> dict[str, Any]:
        """A record as the tenant holds it."""
        found: dict[str, Any] | None = self.emulator.show(table, name)
        assert found is not None
        return found

    def calls(self, act: Callable[[], object]) -> dict[str, int]:
        """What ``act`` costs, by the end of the path."""
        self.emulator.stats.clear()
        act()
        return {where.rpartition("/cgi/")[2]: count for where, count in self.emulator.stats.items()}

    def pages(self, connector: Fxiaoke, name: str, *args: Any, **window: Any) -> list[Page]:
        """Every page of a window, of a connection as it is."""
        on = frozenset(one for one in self.streams if connector.connection.stream(one))
        return super().pages(connector, name, *args, **{"streams": on, **window})

    def read(self, connector: Fxiaoke, name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The records of a window by id, of the stream's own kind."""
        found = self.records(connector, self.pages(connector, name, *args, **kwargs))
        return {record.remote_id: record for record in found if record.kind_name == self.streams[name].kind}

    def findings(self, connector: Fxiaoke, where: str) -> list[str]:
        """How bad the findings of ``check`` about one thing are."""
        return [finding.level for finding in connector.check() if finding.where == where]


@pytest.fixture
def world() -> Tables:
    """The small world, to be changed at will."""
    return deepcopy(WORLD)


@pytest.fixture
def make_tenant(tmp_path: Path) -> Iterator[Callable[..., Tenant]]:
    """Makes a tenant: of tables (the small world by default) and the emulator's switches."""
    with rigs(Tenant, tmp_path, WORLD) as make:
        yield make


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    """The tenant of the small world."""
    return make_tenant()
