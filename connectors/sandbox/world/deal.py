"""One simulated deal: what the CRM shows of it, and what is hidden."""

from dataclasses import dataclass, field

from connectors.sandbox.world.accounts import Account
from connectors.sandbox.world.calendar import day_text
from connectors.sandbox.world.people import Seller
from connectors.sandbox.world.stages import Pipeline

Value = str | Seller
"""What a field held: text, or the person for ``owner_id``, who has an id of his own in every CRM."""


def money_text(minor: int, currency: str) -> str:
    """Minor units as a decimal: 2 places, none for the yen."""
    if currency == "JPY":
        return str(minor)
    return f"{minor // 100}.{minor % 100:02d}"


def minor_units(amount: float, currency: str) -> int:
    """An amount drawn at random, in whole minor units of its currency (yen: thousands)."""
    return max(1, round(amount / 1000)) * 1000 if currency == "JPY" else max(100, round(amount * 100))


@dataclass(frozen=True, slots=True)
class Move:
    """One field took another value. ``by`` is who did it."""

    field: str
    old: Value
    new: Value
    at: int
    by: Seller | None


@dataclass(slots=True, eq=False)
class Deal:
    """A deal in progress, or done. Moments are seconds UTC, days are day numbers, money is in minor units."""

    id: str
    account: Account
    owner: Seller
    pipeline: Pipeline
    type: str
    source: str
    product: str
    currency: str
    price: int
    """What it is worth, whether or not the CRM says so."""
    created: int
    created_on: int
    close_on: int
    quality: float
    name: str = ""
    amount: int | None = None
    step: int = 0
    outcome: str = "open"
    closed_at: int | None = None
    modified: int = 0
    discount: str = ""
    fault: str = ""
    oversized: bool = False
    neglected: bool = False
    without_step: bool = False
    due_passed: bool = False
    mirror: str = ""
    mirror_id: str = ""
    handover: bool = False
    recent: int = 0
    """Conversations (two-way activities) in the present stage."""
    known: int = 1
    """How many of the account's contacts are in it."""
    moves: list[Move] = field(default_factory=list)

    @property
    def home(self) -> str:
        """The connection the deal lives in."""
        return self.account.home

    @property
    def stage(self) -> str:
        """Name of the present stage."""
        if self.outcome == "open":
            return self.pipeline.steps[self.step].name
        return {"won": self.pipeline.won, "lost": self.pipeline.lost}.get(self.outcome, self.pipeline.omitted)

    def money(self, minor: int | None) -> str:
        """An amount as the CRM shows it; nothing where there is none."""
        return "" if minor is None else money_text(minor, self.currency)

    def moment(self, at: int) -> int:
        """The moment, or just behind the last change if that was later."""
        return at if at > self.modified else self.modified + 60

    def change(self, name: str, old: Value, new: Value, at: int, by: Seller | None = None) -> None:
        """Notes that a field changed."""
        self.moves.append(Move(name, old, new, at, by or self.owner))
        self.modified = at

    def set_amount(self, minor: int | None, at: int) -> None:
        """Writes another amount."""
        if minor != self.amount:
            self.change("amount", self.money(self.amount), self.money(minor), at)
            self.amount = minor

    def set_close(self, day: int, at: int) -> None:
        """Writes another close date."""
        if day != self.close_on:
            self.change("close_on", day_text(self.close_on), day_text(day), at)
            self.close_on = day

    def give(self, receiver: Seller, at: int, by: Seller | None = None) -> None:
        """Another owner."""
        self.change("owner_id", self.owner, receiver, at, by)
        self.owner = receiver
