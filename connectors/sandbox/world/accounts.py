"""Customers and those to be: who owns them, where they live, what they have under contract."""

from bisect import bisect_right
from dataclasses import dataclass, field
from heapq import heappop, heappush

from connectors.sandbox.world.calendar import day_text, stamp
from connectors.sandbox.world.chance import Chance, cumulated
from connectors.sandbox.world.ground import Ground
from connectors.sandbox.world.names import INDUSTRIES, company_name
from connectors.sandbox.world.people import UNDERSERVED, Seller, Staff, Territory

FIRST_CONTACT = 70_000_000_001
CONTRACT_DAYS = 365


@dataclass(slots=True, eq=False)
class Account:
    """A company. ``ids`` are its ids by connection: first where it lives, then copies made for mirrored deals."""

    number: int
    name: str
    territory: Territory
    industry: str
    created: int
    owner: Seller
    ids: dict[str, str]
    contacts: int
    parent: "Account | None" = None
    modified: int = 0
    customer: bool = False
    owners: list[tuple[Seller, Seller, int]] = field(default_factory=list)

    @property
    def home(self) -> str:
        """The connection this account lives in."""
        return next(iter(self.ids))

    def contact(self, number: int) -> str:
        """Id of one of the account's contacts, counted from 0."""
        return str(FIRST_CONTACT + self.number * 10 + number)


class Market:
    """Every account, and the contracts that come up for renewal."""

    def __init__(self, ground: Ground, staff: Staff) -> None:
        self.world, self.calendar, self.ledger, _ = ground
        self.staff = staff
        self.chance = Chance(self.world.seed, "accounts")
        self.accounts: list[Account] = []
        self._due: list[tuple[int, int, Account, int]] = []
        self._signed = 0
        self._pools: list[list[Account]] = []
        self._open_from: list[list[int]] = []
        self._found(max(60, self.world.deals // 4))
        weights = [t.potential * (UNDERSERVED.deals if t.region.underserved else 1.0) for t in staff.territories]
        self._cumulative = cumulated(weights)
        self._places = list(range(len(weights)))

    def _found(self, count: int) -> None:
        territories = self.staff.territories
        cumulative = cumulated([territory.potential for territory in territories])
        owners = {
            territory.name: [
                seller
                for seller in self.staff.sellers
                if seller.territory is territory and seller.started <= self.calendar.first
            ]
            for territory in territories
        }
        for number in range(count):
            territory = (
                territories[number] if number < len(territories) else self.chance.weighted(territories, cumulative)
            )
            self._account(number, territory, self.chance.pick(owners[territory.name]))
        for territory in territories:
            pool = sorted((a for a in self.accounts if a.territory is territory), key=lambda a: (a.created, a.number))
            self._pools.append(pool)
            self._open_from.append([account.created for account in pool])

    def _account(self, number: int, territory: Territory, owner: Seller) -> None:
        chance, calendar = self.chance, self.calendar
        home = owner.home if chance.happens(0.7) else chance.pick(tuple(owner.ids))
        old = number < len(self.staff.territories) or chance.happens(0.75)
        created = (
            calendar.first - chance.whole(10, 1500) if old else chance.whole(calendar.first, calendar.end - 2)
        )  # fmt: skip
        parents = [a for a in self.accounts[-40:] if a.home == home] if chance.happens(0.09) else []
        account = Account(
            number, company_name(chance, number), territory, chance.pick(INDUSTRIES), created, owner,
            {home: self.ledger.new_id("accounts")}, chance.whole(2, 6), chance.pick(parents) if parents else None,
            modified=calendar.midnight(created) + 27000,
        )  # fmt: skip
        self.accounts.append(account)
        if old and chance.happens(0.3):
            account.customer = True
            yearly = int(chance.lognormal(9000, 0.6) * 100)
            self.sign(
                account,
                calendar.first - chance.whole(5, 350),
                f"{yearly // 100}.{yearly % 100:02}",
                self.world.currency,
            )

    def sign(self, account: Account, day: int, amount: str, currency: str) -> None:
        """A contract for a year from this day on, which will come up for renewal."""
        end = day + CONTRACT_DAYS - 1
        modified = stamp(self.calendar.midnight(day) + 57600)
        self.ledger.append(
            "contracts",
            account.home,
            (account.ids[account.home], amount, currency, day_text(day), day_text(end), modified),
        )
        self._signed += 1
        heappush(self._due, (end - 75, self._signed, account, end))

    def renewal(self, day: int) -> tuple[Account, int] | None:
        """An account whose contract should be renewed now, with the contract's last day."""
        if not self._due or self._due[0][0] > day:
            return None
        _, _, account, end = heappop(self._due)
        return account, end

    def prospect(self, day: int, chance: Chance) -> Account:
        """An account to sell to on this day: territories by potential, and by how much is sold there at all."""
        place = chance.weighted(self._places, self._cumulative)
        known = bisect_right(self._open_from[place], day)
        return self._pools[place][int(chance.random() * known)]

    def copy_id(self, account: Account, connection: str) -> str:
        """The account's id in a connection, with a copy made there if it has none."""
        known = account.ids.get(connection)
        if known is None:
            known = account.ids[connection] = self.ledger.new_id("accounts")
        return known

    def hand_over(self, seller: Seller, day: int, receiver: Seller | None = None) -> None:
        """Gives a leaver's accounts to colleagues, or to the receiver those that the leaver once had."""
        for account in self.accounts:
            if receiver is not None and account.owners and account.owners[-1][0] is seller:
                self._give(account, receiver, day)
            elif receiver is None and account.owner is seller:
                self._give(account, self.staff.colleague(seller, account.home, day, self.chance), day)

    def _give(self, account: Account, receiver: Seller, day: int) -> None:
        # an account that is not there yet simply starts with its new owner
        if account.created <= day:
            moment = max(account.modified + 60, self.calendar.midnight(day) + 61200)
            account.owners.append((account.owner, receiver, moment))
            account.modified = moment
        account.owner = receiver

    def write(self) -> None:
        """Rows of accounts and of their owners' changes."""
        for account in self.accounts:
            created = stamp(self.calendar.midnight(account.created) + 27000)
            for connection, row_id in account.ids.items():
                self._write_account(account, connection, row_id, created)

    def _write_account(self, account: Account, connection: str, row_id: str, created: str) -> None:
        parent = account.parent.ids.get(connection, "") if account.parent else ""
        owner = account.owner.ids.get(connection, "")
        cells = (
            account.name, parent, owner, account.industry, account.territory.region.name, created,
            stamp(account.modified),
        )  # fmt: skip
        self.ledger.add("accounts", row_id, connection, cells)
        for old, new, moment in account.owners:
            # a copy in another CRM may be younger than an owner whom that CRM never knew
            if connection in old.ids and connection in new.ids:
                by = new.lead.ids.get(connection, "") if new.lead else ""
                change = ("account", row_id, "owner_id", old.ids[connection], new.ids[connection], stamp(moment), by)
                self.ledger.append("changes", connection, change)
