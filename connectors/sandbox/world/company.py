"""What the company says and plans around its deals: stages, rates, targets, forecasts, ratings."""

from datetime import date

from connectors.sandbox.world.calendar import day_text, is_workday, quarter_start, stamp, workday
from connectors.sandbox.world.chance import Chance, cumulated
from connectors.sandbox.world.deal import money_text
from connectors.sandbox.world.deals import Sales
from connectors.sandbox.world.ground import Ground
from connectors.sandbox.world.names import NOTES, REASONS
from connectors.sandbox.world.people import Seller
from connectors.sandbox.world.stages import PIPELINES

YIELD_PER_DEAL = 5200.0
"""About what an average deal brings, in euros, with all that are lost: targets ask for it."""

RATING_ITEMS = ("planning", "teamwork", "product knowledge")


def write_stages(ground: Ground) -> None:
    """What every stage means, once for each connection."""
    world, calendar, ledger, _ = ground
    modified = stamp(calendar.midnight(calendar.first))
    for connection in world.connections:
        for pipeline in PIPELINES:
            for position, (stage, outcome, probability, _, qualified) in enumerate(pipeline.stages(), start=1):
                is_qualified = "true" if qualified else "false"
                cells = (pipeline.name, stage, stage, str(position), outcome, probability, is_qualified, modified)
                ledger.append("stages", connection, cells)


def write_rates(ground: Ground) -> None:
    """Rates of every working day, in every connection: 1 ``currency`` = ``rate`` of the company's."""
    world, calendar, ledger, _ = ground
    chance = Chance(world.seed, "rates")
    for currency in ("EUR", "USD", "JPY"):
        if currency == world.currency:
            continue
        usual = rate = world.rate(currency)
        for day in range(calendar.first - 7, calendar.end):
            if not is_workday(day):
                continue
            # drawn back to where it came from, so that no span makes it run away
            rate += usual * (chance.normal() * 0.003) + (usual - rate) * 0.01
            text = f"{rate:.8f}"
            for connection in world.connections:
                ledger.append("rates", connection, (currency, world.currency, text, day_text(day)))


class Planning:
    """Targets before a quarter, calls within it, ratings after it. Amounts are in the company's currency."""

    def __init__(self, ground: Ground, sales: Sales) -> None:
        self.world, self.calendar, self.ledger, _ = ground
        self.staff = sales.staff
        self.sales = sales
        self.chance = Chance(self.world.seed, "planning")

    def set_targets(self) -> None:
        """Targets of every quarter: people by their territory's potential, teams, and the organisation."""
        for start, end in self.calendar.quarters():
            share = self.calendar.workload_between(start, end) / self.calendar.workload
            self._quarter_targets(start, end, self.world.deals * share * YIELD_PER_DEAL * self.world.rate("EUR"))

    def _quarter_targets(self, start: int, end: int, company: float) -> None:
        sellers = [s for s in self.staff.sellers if s.role == "AE" and s.works(start)]
        weights = {seller.number: seller.territory.potential if seller.territory else 1.0 for seller in sellers}
        total = cumulated(tuple(weights.values()))[-1]
        teams: dict[tuple[str, str], int] = {}
        period = (day_text(start), day_text(end - 1))
        for seller in sellers:
            target = int(company * weights[seller.number] / total / 500 + 0.5) * 500 + 500
            self.sales.targets[seller.number, start] = target * 100
            self._target(seller.home, ("person", seller.ids[seller.home]), period, target)
            team = (seller.home, seller.team)
            teams[team] = teams.get(team, 0) + target
        for (home, name), amount in teams.items():
            # managers keep a reserve: members are asked for a little more than the team
            self._target(home, ("team", name), period, amount * 95 // 100)
        self._target(self.world.connections[0], ("organisation", "all"), period, sum(teams.values()) * 9 // 10)

    def _target(self, connection: str, subject: tuple[str, str], period: tuple[str, str], units: int) -> None:
        known = max(date.fromisoformat(period[0]).toordinal(), self.calendar.first)
        modified = stamp(self.calendar.midnight(known) + 28800)
        amount = money_text(units if self.world.currency == "JPY" else units * 100, self.world.currency)
        self.ledger.append(
            "targets", connection, (*subject, "bookings", *period, amount, self.world.currency, modified)
        )

    def write_forecasts(self) -> None:
        """Calls of people and their managers, after a third and two thirds of each quarter.

        Simulated with hindsight: an honest call is near to what came, the sandbagger's is half of it.
        """
        for start, end in self.calendar.quarters():
            for part in (1, 2):
                day = workday(start + (end - start) * part // 3)
                if self.calendar.first <= day < self.calendar.end:
                    self._calls(start, end, day, spread=0.16 if part == 1 else 0.08)

    def _calls(self, start: int, end: int, day: int, spread: float) -> None:
        period = (day_text(start), day_text(end - 1))
        for seller in self.staff.sellers:
            if seller.role != "AE" or not seller.works(day):
                continue
            likely = self._outcome(seller, start, end)
            low = seller.habit == "sandbagger"
            commit = likely * (0.5 if low else 1.0) * (1 + spread * self.chance.normal())
            best = commit * self.chance.between(1.15, 1.5)
            managed = likely * (0.75 if low else 1.0) * (1 + spread * self.chance.normal())
            at = stamp(self.calendar.at_work(day, self.chance))
            evening = stamp(self.calendar.midnight(day) + 66600)
            self._call(seller, period, ("rep", "commit", self._money(commit)), ("", at))
            self._call(seller, period, ("rep", "best case", self._money(best)), ("", at))
            self._call(
                seller, period, ("manager", "commit", self._money(managed)), (self.chance.pick(REASONS), evening)
            )

    def _call(self, seller: Seller, period: tuple[str, str], said: tuple[str, str, str], why: tuple[str, str]) -> None:
        layer, category, amount = said
        cells = (seller.ids[seller.home], *period, layer, category, amount, self.world.currency, *why)
        self.ledger.append("forecasts", seller.home, cells)

    def _money(self, minor: float) -> str:
        """Minor units (hundredths of any currency) as an amount of the company's."""
        return money_text(int(minor) // (100 if self.world.currency == "JPY" else 1), self.world.currency)

    def _outcome(self, seller: Seller, start: int, end: int) -> int:
        """What the quarter brings this person, in minor units; of a quarter not over, what it would at this pace."""
        booked = self.sales.booked.get((seller.number, start), 0)
        seen = sum(is_workday(day) for day in range(max(start, self.calendar.first), min(end, self.calendar.end)))
        whole = sum(is_workday(day) for day in range(start, end))
        if seen * 2 > whole:
            return booked * whole // seen
        return self.sales.targets.get((seller.number, start), booked)

    def write_ratings(self) -> None:
        """Ratings by the manager and two colleagues for each quarter that is over."""
        for start, end in self.calendar.quarters():
            if end < self.calendar.end and quarter_start(end) == end:
                for seller in self.staff.sellers:
                    if seller.role == "AE" and seller.works(end) and seller.works(start):
                        self._rate(seller, end)

    def _rate(self, seller: Seller, day: int) -> None:
        colleagues = [self.staff.colleague(seller, seller.home, day, self.chance) for _ in range(2)]
        raters = [rater for rater in (seller.lead, *colleagues) if rater is not None]
        for rater in dict.fromkeys(raters):
            for item in RATING_ITEMS:
                rating = min(5, max(1, int(3.6 + 0.5 * seller.skill + 0.8 * self.chance.normal())))
                at = min(
                    self.calendar.at_work(day, self.chance) + self.chance.whole(0, 9) * 86400, self.calendar.limit - 1
                )
                cells = (
                    seller.ids[seller.home],
                    rater.ids[seller.home],
                    item,
                    str(rating),
                    self.chance.pick(NOTES),
                    stamp(at),
                )
                self.ledger.append("ratings", seller.home, cells)
