"""What a deal leaves behind when it is done, or when the simulation ends: its rows, and its planted faults."""

from connectors.sandbox.world.accounts import Market
from connectors.sandbox.world.calendar import day_text, stamp
from connectors.sandbox.world.chance import Chance
from connectors.sandbox.world.deal import Deal, Move, money_text
from connectors.sandbox.world.ground import Ground
from connectors.sandbox.world.names import NEXT_STEPS, PRODUCTS
from connectors.sandbox.world.people import Seller, Staff
from connectors.sandbox.world.settings import ALWAYS_OWNED, UNKNOWN_CURRENCY
from connectors.sandbox.world.stages import NEW_BUSINESS


class Books:
    """Writes deals and what follows from them."""

    def __init__(self, ground: Ground, staff: Staff, market: Market) -> None:
        self.world, self.calendar, self.ledger, self.truth = ground
        self.staff = staff
        self.market = market
        self.chance = Chance(self.world.seed, "books")

    def close(self, deal: Deal) -> None:
        """Everything of one deal. Open deals come here on the last evening."""
        if deal.outcome == "won" and self.chance.happens(0.35):
            deal.discount = money_text(self.chance.whole(2, 25), "EUR")
        step = "" if deal.outcome != "open" or deal.without_step else self.chance.pick(NEXT_STEPS)
        external = f"D-{deal.id[-7:]}" if deal.mirror else ""
        self._deal_row(deal, deal.id, deal.home, step, external)
        self._moves(deal.moves, deal.id, deal.home)
        if deal.mirror:
            self._deal_row(deal, deal.mirror_id, deal.mirror, step, external)
            self._moves(deal.moves, deal.mirror_id, deal.mirror)
            self.truth.mirrors.append(
                [self.ledger.key(deal.home, deal.id), self.ledger.key(deal.mirror, deal.mirror_id)]
            )
        else:
            self._note_faults(deal)
        if deal.amount is not None and (deal.step >= 1 or deal.outcome == "won"):
            self._line_items(deal)
        self._splits(deal)
        if deal.outcome == "won":
            self._after_winning(deal)

    def _deal_row(
        self,
        deal: Deal,
        row_id: str,
        connection: str,
        step: str,
        external: str,
        *,
        created: int | None = None,
        name: str = "",
    ) -> None:
        owner = "" if deal.fault == "missing_owner" else deal.owner.ids[connection]
        stage, _, probability, category, _ = self._stage_of(deal)
        if deal.owner.habit == "sandbagger" and deal.outcome == "open":
            category = "pipeline"
        cells = (
            name or deal.name, self.market.copy_id(deal.account, connection), owner, deal.pipeline.name, stage,
            deal.outcome, deal.money(deal.amount), deal.currency, stamp(created or deal.created),
            day_text(deal.close_on), stamp(deal.closed_at) if deal.closed_at else "", deal.type, deal.source,
            deal.product, probability, category, step, deal.discount, external, "",
            stamp(max(deal.modified, created or 0)),
        )  # fmt: skip
        self.ledger.add("opportunities", row_id, connection, cells)

    @staticmethod
    def _stage_of(deal: Deal) -> tuple[str, str, str, str, bool]:
        return next(stage for stage in deal.pipeline.stages() if stage[0] == deal.stage)

    def _moves(self, moves: list[Move], row_id: str, connection: str) -> None:
        for move in moves:
            old = move.old.ids[connection] if isinstance(move.old, Seller) else move.old
            new = move.new.ids[connection] if isinstance(move.new, Seller) else move.new
            by = move.by.ids.get(connection, "") if move.by else ""
            cells = ("opportunity", row_id, move.field, old, new, stamp(move.at), by)
            self.ledger.append("changes", connection, cells)

    def _note_faults(self, deal: Deal) -> None:
        key = self.ledger.key(deal.home, deal.id)
        for fault in ("missing_amount", "same_day_close", "outlier", "unknown_currency"):
            self._note(fault, key, able=True, has=deal.fault == fault)
        self._note("missing_owner", key, able=deal.home not in ALWAYS_OWNED, has=deal.fault == "missing_owner")
        is_open = deal.outcome == "open" and deal.fault != "duplicate"
        self._note("past_due", key, able=is_open and deal.due_passed, has=deal.neglected)
        self._note("no_next_step", key, able=is_open and deal.step >= 1, has=deal.without_step)
        days = self.calendar.day_of(deal.modified if deal.closed_at else self.calendar.limit - 1) - deal.created_on
        if days >= 2:
            self.truth.could("duplicate")
            if deal.fault == "duplicate":
                self._duplicate(deal, key, self.chance.whole(1, min(8, days - 1)))

    def _note(self, fault: str, key: str, *, able: bool, has: bool) -> None:
        if able:
            self.truth.could(fault)
            if has:
                self.truth.has(fault, key)

    def _duplicate(self, deal: Deal, key: str, lag: int) -> None:
        """The same deal once more, entered ``lag`` days later and kept up with the first one, a little behind."""
        created = deal.created + lag * 86400
        shift = self.chance.whole(900, 5400)
        later = [
            Move(m.field, m.old, m.new, min(m.at + shift, self.calendar.limit - 1), m.by)
            for m in deal.moves
            if m.at > created
        ]
        closed_at, modified = deal.closed_at, deal.modified
        deal.closed_at = later[-1].at if closed_at else None
        deal.modified = later[-1].at if later else created
        row_id = self.ledger.new_id("opportunities")
        step = self.chance.pick(NEXT_STEPS) if deal.outcome == "open" else ""
        self._deal_row(deal, row_id, deal.home, step, "", created=created, name=f"{deal.name} (2)")
        self._moves(later, row_id, deal.home)
        deal.closed_at, deal.modified = closed_at, modified
        self.truth.has("duplicate", [key, self.ledger.key(deal.home, row_id)])

    def _line_items(self, deal: Deal) -> None:
        if deal.amount is None or not self.chance.happens(0.6):
            return
        count = self.chance.whole(1, 3)
        left = deal.amount
        products = [
            deal.product,
            *self.chance.shuffled([name for name, _ in PRODUCTS if name != deal.product])[: count - 1],
        ]
        for number, product in enumerate(products, start=1):
            part = left if number == len(products) else left * self.chance.whole(30, 70) // 100
            left -= part
            cells = (deal.id, product, str(self.chance.whole(1, 20)), deal.money(part), stamp(deal.modified))
            self.ledger.append("line_items", deal.home, cells)

    def _splits(self, deal: Deal) -> None:
        if deal.outcome in {"lost", "omitted"} or deal.fault == "missing_owner":
            return
        draw = self.chance.random()
        day = self.calendar.day_of(deal.modified)
        if draw < 0.09:
            partner = self.staff.colleague(deal.owner, deal.home, day, self.chance)
            share = self.chance.pick((50, 60, 70, 80))
            self._split(deal, deal.owner, share, "revenue")
            self._split(deal, partner, 100 - share, "revenue")
        elif draw < 0.13:
            helper = self.staff.colleague(deal.owner, deal.home, day, self.chance)
            self._split(deal, deal.owner, 100, "revenue")
            self._split(deal, helper, self.chance.pick((20, 50, 100)), "overlay")

    def _split(self, deal: Deal, person: Seller, percent: int, kind: str) -> None:
        share = "1" if percent == 100 else f"0.{percent // 10}"
        self.ledger.append("splits", deal.home, (deal.id, person.ids[deal.home], share, kind, stamp(deal.modified)))

    def _after_winning(self, deal: Deal) -> None:
        if deal.amount is None or deal.closed_at is None:
            return
        day = self.calendar.day_of(deal.closed_at)
        recurring = deal.type == "renewal" or (deal.type == "new" and self.chance.happens(0.5))
        if recurring and deal.currency != UNKNOWN_CURRENCY and deal.fault != "outlier":
            self.market.sign(deal.account, day, deal.money(deal.amount), deal.currency)
        invoiced = day + self.chance.whole(2, 15)
        self._payment(deal, deal.amount, invoiced, "invoice")
        first = deal.amount if self.chance.happens(0.8) else deal.amount // 2
        paid = invoiced + self.chance.whole(12, 60)
        self._payment(deal, first, paid, "payment")
        if first < deal.amount:
            self._payment(deal, deal.amount - first, paid + 30, "payment")
        if self.chance.happens(0.04):
            refund = deal.amount if self.chance.happens(0.4) else deal.amount // 4
            self._payment(deal, refund, paid + self.chance.whole(35, 110), "refund")
        self._ask(deal, day)

    def _payment(self, deal: Deal, minor: int, day: int, kind: str) -> None:
        if day < self.calendar.end:
            cells = (
                deal.id,
                deal.money(minor),
                deal.currency,
                day_text(day),
                kind,
                stamp(self.calendar.midnight(day) + 43200),
            )
            self.ledger.append("payments", deal.home, cells)

    def _ask(self, deal: Deal, day: int) -> None:
        """A survey after some won deals; able people get better answers, and half of the customers none."""
        chance = self.chance
        if (deal.pipeline is not NEW_BUSINESS and chance.happens(0.3)) or not chance.happens(0.5):
            return
        sent = self.calendar.midnight(day + chance.whole(10, 20)) + 32400
        answered = sent + chance.whole(3600, 6 * 86400)
        if sent >= self.calendar.limit:
            return
        mood = chance.normal() + 0.6 * deal.owner.skill
        nps = chance.happens(0.4)
        answer = min(10, max(0, int(8.2 + 1.8 * mood))) if nps else min(5, max(1, int(4.5 + 0.9 * mood)))
        replied = answered < self.calendar.limit and chance.happens(0.55)
        owner = "" if deal.fault == "missing_owner" else deal.owner.ids[deal.home]
        cells = (
            owner, deal.account.ids[deal.home], deal.id, "nps" if nps else "csat5", str(answer) if replied else "",
            stamp(sent), stamp(answered) if replied else "", stamp(answered if replied else sent),
        )  # fmt: skip
        self.ledger.append("surveys", deal.home, cells)
