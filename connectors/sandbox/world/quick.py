"""A large and plain world for benches: rows as fast as they can be made, without a day being simulated."""

from typing import Any

from connectors.sandbox.folder import Sink
from connectors.sandbox.world.calendar import day_text, stamp
from connectors.sandbox.world.chance import Chance
from connectors.sandbox.world.company import write_rates, write_stages
from connectors.sandbox.world.deal import money_text
from connectors.sandbox.world.ground import Ground, lay_ground
from connectors.sandbox.world.names import PRODUCTS, SOURCES
from connectors.sandbox.world.settings import World
from connectors.sandbox.world.stages import NEW_BUSINESS

KINDS = ("call", "email", "meeting", "task")
_STAGES = NEW_BUSINESS.stages()


def write_quick(world: World, sink: Sink) -> dict[str, Any]:
    """Writes people, accounts, deals and, if wanted, activities; returns what ``truth.json`` says of them."""
    ground = lay_ground(world, sink)
    write_stages(ground)
    write_rates(ground)
    people = _people(ground)
    accounts = _accounts(ground, people)
    deals = _Deals(ground)
    for number in range(world.deals):
        account = int(deals.draw() * len(accounts))
        deals.add(number, accounts[account], people[account % len(people)])
    return ground.truth.as_json(ground.ledger.counts, {})


def _people(ground: Ground) -> list[str]:
    world, calendar, ledger, _ = ground
    ids = [ledger.new_id("people") for _ in range(world.people)]
    started = day_text(calendar.first - 100)
    modified = stamp(calendar.midnight(calendar.first) - 86400)
    for n, row_id in enumerate(ids, start=1):
        area = f"Area {n % 5 + 1}"
        mail = f"seller{n}@example.com"
        cells = (f"Seller {n}", mail, "true", "", f"Team {n % 5 + 1}", area, area, "AE", started, "", modified)
        ledger.add("people", row_id, "", cells)
    return ids


def _accounts(ground: Ground, people: list[str]) -> list[str]:
    world, calendar, ledger, _ = ground
    ids = [ledger.new_id("accounts") for _ in range(max(1, world.deals // 20))]
    created = stamp(calendar.midnight(calendar.first) - 86400)
    for n, row_id in enumerate(ids):
        cells = (f"Account {n + 1}", "", people[n % len(people)], "Retail", f"Area {n % 5 + 1}", created, created)
        ledger.add("accounts", row_id, "", cells)
    return ids


class _Deals:
    """Deals spread evenly over the days, each with its activities."""

    def __init__(self, ground: Ground) -> None:
        self.world, self.calendar, self.ledger, _ = ground
        self.draw = Chance(self.world.seed, "quick").random

    def add(self, number: int, account: str, owner: str) -> None:
        """One deal, the ``number``-th."""
        draw, calendar = self.draw, self.calendar
        created_on = calendar.first + int(draw() * (calendar.end - calendar.first - 1))
        created = modified = calendar.midnight(created_on) + 28800 + int(draw() * 36000)
        closes_on = created_on + 5 + int(draw() * 150)
        closed_at = ""
        stage = int(draw() * 5)
        if closes_on < calendar.end:
            modified = calendar.midnight(closes_on) + 28800 + int(draw() * 36000)
            closed_at = stamp(modified)
            stage = 5 if draw() < 0.3 else 6
        name, outcome, probability, category, _ = _STAGES[stage]
        amount = money_text(100_000 + int(draw() * 5_000_000), self.world.currency)
        row_id = self.ledger.new_id("opportunities")
        cells = (
            f"Deal {number + 1}", account, owner, NEW_BUSINESS.name, name, outcome, amount, self.world.currency,
            stamp(created), day_text(closes_on), closed_at, "new", SOURCES[number % len(SOURCES)][0],
            PRODUCTS[int(draw() * len(PRODUCTS))][0], probability, category, "" if closed_at else "Call", "", "", "",
            stamp(modified),
        )  # fmt: skip
        self.ledger.add("opportunities", row_id, "", cells)
        wanted = int(self.world.activities_per_deal * (number + 1)) - int(self.world.activities_per_deal * number)
        for _ in range(wanted):
            at = min(created + int(draw() * (closes_on - created_on) * 86400), calendar.limit - 1)
            self._activity(stamp(at), account, owner, row_id)

    def _activity(self, moment: str, account: str, owner: str, deal: str) -> None:
        kind = KINDS[int(self.draw() * 4)]
        seconds = "600" if kind == "call" else ""
        cells = (
            kind, owner, deal, account, "", owner, "outbound", "false", "false", moment, moment, moment, seconds,
            "Touch", moment,
        )  # fmt: skip
        self.ledger.append("activities", "", cells)
