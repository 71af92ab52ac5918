"""Calls, meetings, e-mails and tasks: with good deals more of them, and more that are conversations."""

from collections import deque

from connectors.sandbox.world.accounts import Account
from connectors.sandbox.world.calendar import is_workday, stamp, workday
from connectors.sandbox.world.chance import Chance, cumulated, exp, logistic
from connectors.sandbox.world.deal import Deal
from connectors.sandbox.world.deals import Agenda, Sales
from connectors.sandbox.world.ground import Ground
from connectors.sandbox.world.names import SUBJECTS
from connectors.sandbox.world.people import UNDERSERVED, Seller

KINDS = ("call", "email", "meeting", "task")
MEAN_LIFE_DAYS = 46.0
"""How long an average deal stays open; only the pace of touches hangs on it."""

BURST_SUBJECT = "Follow-up"


class Diary:
    """Logs what people do. ``logged`` counts; topping up with prospecting keeps to the wanted number per deal."""

    def __init__(self, ground: Ground, sales: Sales, plan: Agenda) -> None:
        self.world, self.calendar, self.ledger, _ = ground
        self.market = sales.market
        self.sales = sales
        self.plan = plan
        self.chance = Chance(self.world.seed, "activities")
        self.logged = 0
        self.bursts = 0
        self.closed: deque[Deal] = deque(maxlen=40)
        self._shares = cumulated([0.34, 0.32, 0.2, 0.14])
        self._interval = MEAN_LIFE_DAYS / max(self.world.activities_per_deal * 1.02, 0.01)
        self._padder = next((seller for seller in sales.staff.sellers if seller.habit == "padder"), None)
        sales.started = self.start

    def start(self, day: int, deal: Deal) -> None:
        """Plans the first touch of a new deal."""
        if self.world.activities_per_deal > 0:
            self._plan_touch(day, deal)

    def _plan_touch(self, day: int, deal: Deal) -> None:
        pace = deal.owner.effort * exp(0.22 * deal.quality)
        if deal.account.territory.region.underserved:
            pace *= UNDERSERVED.touches
        wait = self.chance.lognormal(self._interval * 0.85 / pace, 0.6)
        self.plan(workday(day + max(1, int(wait + 0.5))), self.touch, deal)

    def touch(self, day: int, deal: Deal) -> None:
        """One thing done for an open deal, and the next one planned."""
        if deal.outcome != "open":
            return
        if day in deal.owner.absent:
            self.plan(workday(day + 3), self.touch, deal)
            return
        chance = self.chance
        kind = chance.weighted(KINDS, self._shares)
        if kind in ("call", "meeting", "email"):
            self._converse(day, deal, kind)
        else:
            at = self.calendar.at_work(day, chance)
            late = chance.happens(0.08)
            self._log(
                "task",
                deal.owner,
                deal.account,
                deal,
                max(at - 86400, deal.created),
                planned=at,
                done=None if late else at + 1800,
            )
        self._plan_touch(day, deal)

    def _converse(self, day: int, deal: Deal, kind: str) -> None:
        chance = self.chance
        at = max(self.calendar.at_work(day, chance), deal.created + 60)
        mutual = chance.happens(logistic(-0.25 + 0.9 * deal.quality + (0.8 if kind == "meeting" else 0.0)))
        if mutual:
            deal.recent += 1
        if kind == "meeting":
            booked = at - chance.whole(1, 8) * 86400
            self._log("meeting", deal.owner, deal.account, deal, max(booked, deal.created), planned=at, done=at + 3600,
                      seconds=chance.whole(2, 8) * 900, mutual=mutual)  # fmt: skip
            return
        inbound = mutual and chance.happens(0.3)
        automatic = kind == "email" and chance.happens(0.45)
        seconds = (
            chance.whole(60, 2400) if kind == "call" and mutual else chance.whole(5, 90) if kind == "call" else None
        )
        self._log(kind, deal.owner, deal.account, deal, at, done=at, seconds=seconds, mutual=mutual, inbound=inbound,
                  automatic=automatic)  # fmt: skip
        answered = at + chance.whole(600, 30000)
        if inbound and answered < self.calendar.limit and chance.happens(0.85):
            self._log("email", deal.owner, deal.account, deal, answered, done=answered, mutual=True)

    def _log(
        self, kind: str, owner: Seller, account: Account, deal: Deal | None, created: int, *,
        planned: int | None = None, done: int | None = None, seconds: int | None = None,
        mutual: bool = False, inbound: bool = False, automatic: bool = False, subject: str = "",
    ) -> None:  # fmt: skip
        home = account.home
        direction = "" if kind in ("task", "meeting") else "inbound" if inbound else "outbound"
        contacts = ""
        if kind != "task":
            known = deal.known if deal else 1
            first = self.chance.whole(0, known - 1)
            people = {first, known - 1} if kind == "meeting" else {first}
            contacts = ";".join(account.contact(number) for number in sorted(people))
        owner_id = owner.ids[home]
        with_lead = kind == "meeting" and owner.lead is not None and home in owner.lead.ids and self.chance.happens(0.2)
        cells = (
            kind, owner_id, deal.id if deal else "", account.ids[home], contacts,
            f"{owner_id};{owner.lead.ids[home]}" if with_lead and owner.lead else owner_id,
            direction, "" if kind == "task" else _truth(mutual), _truth(automatic), stamp(created),
            "" if planned is None else stamp(planned), "" if done is None else stamp(done),
            "" if seconds is None else str(seconds), subject or self.chance.pick(SUBJECTS[kind]),
            stamp(max(created, min(done or created, self.calendar.limit - 1))),
        )  # fmt: skip
        self.logged += 1
        self.ledger.append("activities", home, cells)

    def day(self, day: int) -> None:
        """What is done beside the deals: prospecting up to the wanted number of activities, and the padder's bursts."""
        if self.world.activities_per_deal <= 0 or not is_workday(day):
            return
        if self._padder is not None and day % 14 == 11 and self._padder.works(day) and day not in self._padder.absent:
            self._burst(day, self._padder)
        wanted = int(self.world.activities_per_deal * self.world.deals * self.calendar.share_until(day + 1) + 0.999999)
        for _ in range(wanted - self.logged):
            account = self.market.prospect(day, self.chance)
            at = self.calendar.at_work(day, self.chance)
            kind, seconds = ("call", self.chance.whole(5, 300)) if self.chance.happens(0.6) else ("email", None)
            mutual = self.chance.happens(0.15)
            self._log(kind, account.owner, account, None, at, done=at, seconds=seconds, mutual=mutual)

    def _burst(self, day: int, seller: Seller) -> None:
        """Sixteen and more calls without length, in ten minutes, of one subject, also on deals long closed."""
        mine = [deal for deal in self.sales.open.values() if deal.owner is seller]
        mine += [deal for deal in self.closed if deal.owner is seller]
        if not mine:
            return
        self.bursts += 1
        at = self.calendar.midnight(day) + 61200
        for _ in range(self.chance.whole(16, 22)):
            deal = self.chance.pick(mine)
            at += self.chance.whole(5, 25)
            self._log("call", seller, deal.account, deal, at, done=at, seconds=0, subject=BURST_SUBJECT)

    def look_ahead(self) -> None:
        """On the last evening: what is planned for the open deals in the next two weeks."""
        if self.world.activities_per_deal <= 0:
            return
        for deal in self.sales.open.values():
            if deal.quality > -1.2 and self.chance.happens(0.6):
                created = max(deal.created, self.calendar.limit - self.chance.whole(1, 6) * 86400)
                at = self.calendar.at_work(workday(self.calendar.end + self.chance.whole(0, 12)), self.chance)
                kind = "meeting" if self.chance.happens(0.6) else "task"
                self._log(kind, deal.owner, deal.account, deal, created, planned=at)


def _truth(value: bool) -> str:
    return "true" if value else "false"
