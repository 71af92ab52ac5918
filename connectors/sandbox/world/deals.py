"""How deals come about, move and end. Won more often: good deals, able people, real conversations."""

from collections.abc import Callable

from connectors.sandbox.world.accounts import Account, Market
from connectors.sandbox.world.calendar import day_text, quarter_after, quarter_start, workday
from connectors.sandbox.world.chance import Chance, cumulated, exp, logistic
from connectors.sandbox.world.deal import Deal, minor_units
from connectors.sandbox.world.ground import Ground
from connectors.sandbox.world.names import PRODUCTS, SOURCES
from connectors.sandbox.world.people import UNDERSERVED, Seller, Staff
from connectors.sandbox.world.settings import ALWAYS_OWNED, EXCLUSIVE_FAULTS, UNKNOWN_CURRENCY
from connectors.sandbox.world.stages import NEW_BUSINESS, RENEWALS, Pipeline

MODEL = {
    "quality": 0.95, "skill": 0.5, "conversations": 0.28, "conversations_usual": 1.0, "renewal_quality": 0.6,
    "slower_if_poor": 0.18,
}  # fmt: skip
"""Weights of what is hidden, in log-odds of leaving a stage forwards. Published in ``truth.json``."""

MEDIAN_PRICE = {"new": 15500.0, "expansion": 9000.0, "renewal": 11000.0}
PRICE_SIGMA = 0.62

Agenda = Callable[[int, Callable[[int, Deal], None], Deal], None]


class Sales:
    """Every open deal, and what happens to it. ``finish`` is called once with each deal that ended."""

    def __init__(
        self, ground: Ground, staff: Staff, market: Market, plan: Agenda, finish: Callable[[Deal], None]
    ) -> None:
        self.world, self.calendar, self.ledger, _ = ground
        self.staff = staff
        self.market = market
        self.plan = plan
        self.finish = finish
        self.chance = Chance(self.world.seed, "deals")
        self.fault_chance = Chance(self.world.seed, "faults")
        self.open: dict[str, Deal] = {}
        self.booked: dict[tuple[int, int], int] = {}
        self.targets: dict[tuple[int, int], int] = {}
        self.started: Callable[[int, Deal], None] = lambda _day, _deal: None
        self._sources = cumulated([share for _, share, _ in SOURCES])
        self._currencies = tuple(dict.fromkeys((self.world.currency, "EUR", "USD", "JPY")))
        self._currency_shares = cumulated((0.8, 0.14, 0.06, 0.03)[: len(self._currencies)])

    def create(self, day: int) -> None:
        """One new deal: a renewal if a contract comes up, else new or more business with somebody."""
        due = self.market.renewal(day)
        if due is not None:
            account, end = due
            deal = self._deal(day, account, RENEWALS, "renewal", workday(max(end, day + 20)))
        else:
            account = self.market.prospect(day, self.chance)
            more = account.customer and self.chance.happens(0.6)
            expected = 65 if more else 75
            close_on = workday(day + max(6, int(expected * self.chance.between(0.4, 1.15))))
            deal = self._deal(day, account, NEW_BUSINESS, "expansion" if more else "new", close_on)
        self._plant(deal)
        self._prepare(day, deal)
        self.open[deal.id] = deal
        self.started(day, deal)
        self.plan(deal.close_on, self.due, deal)
        if deal.fault == "same_day_close":
            self._close(day, deal, "won")
        else:
            self._plan_step(day, deal)

    def _deal(self, day: int, account: Account, pipeline: Pipeline, kind: str, close_on: int) -> Deal:
        chance = self.chance
        source, _, good = chance.weighted(SOURCES, self._sources)
        product, factor = chance.pick(PRODUCTS)
        currency = chance.weighted(self._currencies, self._currency_shares)
        bell = min(max(chance.normal(), -2.8), 2.8)
        price = (
            MEDIAN_PRICE[kind] * factor * exp(PRICE_SIGMA * bell) * self.world.rate("EUR") / self.world.rate(currency)
        )
        quality = chance.normal() + (good if pipeline is NEW_BUSINESS else MODEL["renewal_quality"])
        region = account.territory.region
        if region.underserved:
            quality += UNDERSERVED.quality
        created = self.calendar.midnight(day) + 28800 + int(chance.random() * 28800)
        deal = Deal(
            self.ledger.new_id("opportunities"), account, account.owner, pipeline, kind, source, product, currency,
            minor_units(price, currency), created, day, close_on, quality, modified=created,
        )  # fmt: skip
        deal.name = f"{account.name} - {product} {day_year(day)}"
        return deal

    def _plant(self, deal: Deal) -> None:
        homes = [home for home in deal.owner.ids if home != deal.home]
        if homes and self.chance.happens(0.6):
            deal.mirror = self.chance.pick(homes)
            deal.mirror_id = self.ledger.new_id("opportunities")
            return
        draw = self.fault_chance.random()
        for fault in EXCLUSIVE_FAULTS:
            draw -= self.world.faults.get(fault, 0.0)
            if draw < 0:
                deal.fault = fault
                break
        deal.neglected = self.fault_chance.happens(self.world.faults.get("past_due", 0.0))
        deal.without_step = self.fault_chance.happens(self.world.faults.get("no_next_step", 0.0))
        if deal.fault == "missing_owner" and deal.home in ALWAYS_OWNED:
            deal.fault = ""  # the owner is never empty there
        if deal.fault == "duplicate":
            deal.neglected = deal.without_step = False
        if deal.fault == "unknown_currency":
            deal.currency = UNKNOWN_CURRENCY
        if deal.fault == "outlier":
            deal.oversized = self.fault_chance.happens(0.5)
            usual = minor_units(
                MEDIAN_PRICE[deal.type] * self.world.rate("EUR") / self.world.rate(deal.currency), deal.currency
            )
            # too large starts from a large one and too small from a small one: a wrong amount must stand out
            deal.price = max(deal.price, usual) * 100 if deal.oversized else max(min(deal.price, usual) // 100, 1)

    def _prepare(self, day: int, deal: Deal) -> None:
        late = deal.pipeline is NEW_BUSINESS and self.chance.happens(0.4)
        if deal.fault != "missing_amount" and not late:
            deal.amount = deal.price
        if deal.owner.habit == "pusher":
            deal.close_on = workday(day + self.chance.whole(12, 20))
        developers = [s for s in self.staff.sellers if s.role == "SDR" and s.works(day)]
        # by the time of the handover the account may have an owner whom a second CRM does not know
        if deal.source == "outbound" and not (deal.fault or deal.mirror) and developers and self.chance.happens(0.35):
            deal.owner = self.chance.pick(developers)
            deal.handover = True

    def _plan_step(self, day: int, deal: Deal) -> None:
        chance, step = self.chance, deal.pipeline.steps[deal.step]
        days = chance.lognormal(step.median_days, 0.65) * exp(-MODEL["slower_if_poor"] * deal.quality)
        if deal.owner.habit == "sandbagger":
            days = days * 2.2 if deal.step < deal.pipeline.early else 1.0
        elif deal.owner.habit == "pusher":
            days *= 1.5
        elif chance.happens(0.04):
            days *= 4.0
        self.plan(workday(day + max(1, int(days + 0.5))), self.advance, deal)

    def chance_to_advance(self, deal: Deal) -> float:
        """Probability of leaving the present stage forwards."""
        if deal.oversized:
            return 0.55 if deal.step < len(deal.pipeline.steps) - 1 else 0.0
        odds = deal.pipeline.steps[deal.step].base + MODEL["quality"] * deal.quality + MODEL["skill"] * deal.owner.skill
        if self.world.activities_per_deal > 0:
            odds += MODEL["conversations"] * (min(deal.recent, 4) - MODEL["conversations_usual"])
        return logistic(odds)

    def advance(self, day: int, deal: Deal) -> None:
        """The present stage ends: onwards, won, lost, or found to be no deal."""
        last = len(deal.pipeline.steps) - 1
        wait = self._held_back(day, deal)
        if wait > day:
            self.plan(wait, self.advance, deal)
        elif deal.step > 0 and self.chance.happens(0.025):
            self._move(day, deal, deal.step - 1)
        elif not self.chance.happens(self.chance_to_advance(deal)):
            early = deal.step <= 1 and self.chance.happens(0.22)
            self._close(day, deal, "omitted" if early else "lost")
        elif deal.step == last:
            self._close(day, deal, "won")
        else:
            skip = 2 if deal.step < last - 1 and self.chance.happens(0.04) else 1
            self._move(day, deal, deal.step + skip)

    def _move(self, day: int, deal: Deal, step: int) -> None:
        at = deal.moment(self.calendar.at_work(day, self.chance))
        old, deal.step = deal.stage, step
        deal.change("stage", old, deal.stage, at)
        deal.recent = 0
        deal.known = min(deal.known + (1 if self.chance.happens(logistic(deal.quality)) else 0), deal.account.contacts)
        if deal.handover:
            deal.handover = False
            deal.give(deal.account.owner, at, deal.owner)
        if deal.amount is None and deal.fault != "missing_amount":
            deal.set_amount(deal.price, at)
        elif deal.amount is not None and not deal.fault and self.chance.happens(0.22):
            deal.price = max(1, int(deal.price * self.chance.between(0.85, 1.15)) // 1000 * 1000 or deal.price)
            deal.set_amount(deal.price, at)
        self._plan_step(day, deal)

    def _held_back(self, day: int, deal: Deal) -> int:
        """The day until which a sandbagger lets a deal rest whose quarter is safe: the signature is for the next one."""
        key = (deal.owner.number, quarter_start(day))
        if deal.owner.habit != "sandbagger" or self.booked.get(key, 0) < self.targets.get(key, 1 << 62):
            return day
        if deal.step == deal.pipeline.early - 1:
            # the later stages take a few days: let go in time to sign in the first days of the quarter
            return workday(quarter_after(day) - 4)
        return workday(quarter_after(day)) if deal.step == len(deal.pipeline.steps) - 1 else day

    def _close(self, day: int, deal: Deal, outcome: str) -> None:
        at = deal.moment(self.calendar.at_work(day, self.chance))
        if outcome == "won":
            if deal.amount is None and deal.fault != "missing_amount":
                deal.set_amount(deal.price, at)
            key = (deal.owner.number, quarter_start(day))
            self.booked[key] = self.booked.get(key, 0) + self.worth(deal)
            deal.account.customer = True
        old = deal.stage
        deal.outcome, deal.closed_at = outcome, at
        deal.change("stage", old, deal.stage, at)
        deal.set_close(day, at)
        del self.open[deal.id]
        self.finish(deal)

    def worth(self, deal: Deal) -> int:
        """The amount in hundredths of the company's currency, at the first day's rate; 0 where the CRM has none."""
        if deal.amount is None or deal.currency == UNKNOWN_CURRENCY:
            return 0
        units = deal.amount if deal.currency == "JPY" else deal.amount / 100
        return int(units * self.world.rate(deal.currency) * 100)

    def due(self, day: int, deal: Deal) -> None:
        """The close date is here and the deal is not done: moved on, or left to pass."""
        if deal.outcome != "open" or deal.close_on != day:
            return
        deal.due_passed = True
        if deal.neglected:
            return
        if deal.owner.habit == "pusher":
            later = self.chance.whole(14, 21)
        else:
            left = sum(step.median_days for step in deal.pipeline.steps[deal.step :])
            later = max(7, int(left * self.chance.between(0.7, 1.6)))
        deal.set_close(workday(day + later), deal.moment(self.calendar.at_work(day, self.chance)))
        self.plan(deal.close_on, self.due, deal)

    def leave(self, seller: Seller, day: int) -> None:
        """Somebody's last day: the open deals go to colleagues."""
        for deal in [deal for deal in self.open.values() if deal.owner is seller]:
            receiver = self.staff.colleague(seller, deal.home, day + 1, self.chance)
            deal.give(receiver, deal.moment(self.calendar.midnight(day) + 61200), seller.lead)


def day_year(day: int) -> str:
    """Year of a day number."""
    return day_text(day)[:4]
