"""Regions, territories and the people who sell there, with what is hidden about them: potential, skill, habits."""

from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.sandbox.world.calendar import day_text, stamp, workday
from connectors.sandbox.world.chance import Chance
from connectors.sandbox.world.ground import Ground
from connectors.sandbox.world.names import person_name

REGIONS = (("North", 1.0), ("South", 1.15), ("West", 1.1), ("Nordics, Baltics", 0.9), ("华东", 1.05))
"""Region names with their potential against an average one."""
MORE_REGIONS = (("Iberia", 0.95), ("Alpine", 1.0), ("Pacific", 1.1))
"""Regions of a company that is spread over more CRMs than it would have regions."""

HABITS = ("sandbagger", "pusher", "padder")


class Underserved(NamedTuple):
    """What sets the under-served region apart, as factors against its neighbours."""

    potential: float = 1.35
    staff: float = 0.45
    deals: float = 0.75
    touches: float = 0.45
    quality: float = 0.35


UNDERSERVED = Underserved()


@dataclass(slots=True, eq=False)
class Region:
    """A market, served from one CRM."""

    name: str
    potential: float
    connection: str
    underserved: bool = False


@dataclass(slots=True, eq=False)
class Territory:
    """A part of a region, with its own potential."""

    name: str
    region: Region
    potential: float


@dataclass(slots=True, eq=False)
class Seller:
    """A person of the sales organisation. ``ids`` are the person's own ids by connection; the first is the home."""

    number: int
    name: str
    mail: str
    role: str
    region: Region | None
    territory: Territory | None
    team: str
    started: int
    ids: dict[str, str]
    skill: float = 0.0
    effort: float = 1.0
    ended: int | None = None
    lead: "Seller | None" = None
    successor: "Seller | None" = None
    habit: str = ""
    earlier_team: str = ""
    moved: int = 0
    absent: set[int] = field(default_factory=set)

    @property
    def home(self) -> str:
        """The connection where this person's targets live."""
        return next(iter(self.ids))

    def works(self, day: int) -> bool:
        """Whether employed on the day."""
        return self.started <= day and (self.ended is None or day <= self.ended)


class Staff:
    """Everybody, and who stands in for whom."""

    def __init__(self, ground: Ground) -> None:
        self.world, self.calendar, self.ledger, self.truth = ground
        self.chance = Chance(self.world.seed, "people")
        self.sellers: list[Seller] = []
        self.regions = self._regions()
        self.territories: list[Territory] = []
        self._hire()

    def _regions(self) -> list[Region]:
        homes = self.world.connections
        # every connection is somebody's home
        count = max(min(len(REGIONS), max(2, self.world.people // 5)), len(homes))
        regions = [
            Region(name, potential, homes[n % len(homes)])
            for n, (name, potential) in enumerate((*REGIONS, *MORE_REGIONS)[:count])
        ]
        if self.world.planted:
            poor = regions[self.chance.whole(0, len(regions) - 1)]
            poor.underserved = True
            poor.potential *= UNDERSERVED.potential
        return regions

    def _hire(self) -> None:
        developers = self.world.people // 11
        executives = self.world.people - developers
        director = self._person("director", None, None, "Sales")
        director.started = self.calendar.first - 2500
        heads = self._headcount(executives)
        for region, head in zip(self.regions, heads, strict=True):
            self._staff_region(region, head, director)
        for number in range(developers):
            region = self.regions[number % len(self.regions)]
            seller = self._person("SDR", region, None, f"{region.name} A")
            seller.lead = self._lead_of(seller.team)
        if self.world.planted:
            self._plant_habits()
        self._turn_over()

    def _headcount(self, executives: int) -> list[int]:
        weights = [region.potential * (UNDERSERVED.staff if region.underserved else 1.0) for region in self.regions]
        heads = [1] * len(weights)
        for _ in range(executives - len(heads)):
            # the next hire goes where most potential waits for each head
            neediest = max(range(len(heads)), key=lambda n: (weights[n] / (heads[n] + 0.5), -n))
            heads[neediest] += 1
        return heads

    def _staff_region(self, region: Region, head: int, director: Seller) -> None:
        territories = [
            Territory(f"{region.name} {n + 1}", region, region.potential * self.chance.between(0.75, 1.25))
            for n in range(2 if head >= 2 else 1)
        ]
        self.territories += territories
        teams = [f"{region.name} A", f"{region.name} B"] if head > 6 else [f"{region.name} A"]
        for team in teams:
            manager = self._person("manager", region, None, team)
            manager.lead = director
        for number in range(head):
            team = teams[number % len(teams)]
            seller = self._person("AE", region, territories[number % len(territories)], team)
            seller.lead = self._lead_of(team)
            if number == 2 and len(teams) > 1:
                seller.earlier_team = teams[1 - number % 2]
                seller.moved = workday(self.calendar.first + (self.calendar.end - self.calendar.first) // 2)

    def _lead_of(self, team: str) -> Seller:
        return next(seller for seller in self.sellers if seller.role == "manager" and seller.team == team)

    def _person(self, role: str, region: Region | None, territory: Territory | None, team: str) -> Seller:
        number = len(self.sellers)
        name, mail = person_name(self.chance, number)
        home = region.connection if region else self.world.connections[0]
        # who leads or develops works everywhere; of the others one in six has a login in every CRM
        everywhere = role != "AE" or self.chance.happens(0.16)
        homes = [home, *(other for other in self.world.connections if other != home and everywhere)]
        seller = Seller(
            number, name, mail, role, region, territory, team,
            started=workday(self.calendar.first - self.chance.whole(60, 2000)),
            ids={connection: self.ledger.new_id("people") for connection in homes},
            skill=self.chance.normal() * 0.8,
            effort=self.chance.between(0.8, 1.2),
        )  # fmt: skip
        self.sellers.append(seller)
        return seller

    def _plant_habits(self) -> None:
        executives = [s for s in self.sellers if s.role == "AE" and s.region is not None and not s.region.underserved]
        for habit, seller in zip(HABITS, self.chance.shuffled(executives), strict=False):
            seller.habit = habit
            seller.skill = max(seller.skill, 0.1)

    def _turn_over(self) -> None:
        """Some leave, and each is followed by somebody hired for the same territory."""
        span = self.calendar.end - self.calendar.first
        if span < 300:
            return
        staying = [s for s in self.sellers if s.role == "AE" and not s.habit and not s.earlier_team and len(s.ids) == 1]
        for joiner in self.chance.shuffled(staying)[: max(1, self.world.people // 10)]:
            leaver = self._person("AE", joiner.region, joiner.territory, joiner.team)
            leaver.ids = {joiner.home: next(iter(leaver.ids.values()))}
            leaver.lead = joiner.lead
            leaver.ended = self.calendar.first + self.chance.whole(span // 4, span * 3 // 4)
            leaver.successor = joiner
            joiner.started = workday(leaver.ended + self.chance.whole(5, 40))

    def colleague(self, seller: Seller, connection: str, day: int, chance: Chance) -> Seller:
        """Somebody who can take over on this day, known in that connection: nearest first."""
        others = [s for s in self.sellers if s is not seller and connection in s.ids and s.works(day)]
        neighbours = [s for s in others if s.role == "AE" and s.region is seller.region]
        nearest = [s for s in neighbours if s.territory is seller.territory]
        # managers work in every CRM and stay: there is always one
        managers = [s for s in others if s.role == "manager" and s.region is seller.region]
        return chance.pick(nearest or neighbours or managers)

    def absences(self) -> None:
        """Leave and sickness of everybody, as rows and as days without work."""
        chance = Chance(self.world.seed, "absences")
        for seller in self.sellers:
            day = max(seller.started, self.calendar.first) + chance.whole(20, 120)
            last = min(self.calendar.end, seller.ended or self.calendar.end) - 1
            while (start := workday(day)) <= last:
                end = min(start + chance.pick((0, 1, 3, 4, 7, 11, 13)), last)
                seller.absent.update(range(start, end + 1))
                paid = "false" if chance.happens(0.06) else "true"
                self.ledger.append(
                    "absences", seller.home, (seller.ids[seller.home], day_text(start), day_text(end), paid)
                )
                day = start + chance.whole(40, 110)

    def write(self) -> None:
        """Rows of people, one for each connection that knows them, and what was planted."""
        for seller in self.sellers:
            for connection, row_id in seller.ids.items():
                self._write_person(seller, connection, row_id)
        for habit in HABITS:
            keys = [self.ledger.key(c, i) for s in self.sellers if s.habit == habit for c, i in s.ids.items()]
            if keys:
                self.truth.planted[habit] = {"person": keys}
        for territory in self.territories:
            region = territory.region
            self.truth.territories[territory.name] = {"region": region.name, "potential": round(territory.potential, 4)}
            if region.underserved:
                self.truth.planted["underserved_region"] = {"region": region.name, **UNDERSERVED._asdict()}

    def _write_person(self, seller: Seller, connection: str, row_id: str) -> None:
        # a second CRM spells the same address in its own case
        mail = seller.mail if connection == seller.home else seller.mail.title()
        modified = self.calendar.midnight(max(seller.started, seller.ended or 0, seller.moved)) + 36000
        active = seller.ended is None
        lead = seller.lead.ids.get(connection, "") if seller.lead else ""
        region = seller.region.name if seller.region else ""
        territory = seller.territory.name if seller.territory else ""
        cells = (
            seller.name, f"{mail}@example.com", "true" if active else "false", lead, seller.team, territory, region,
            seller.role, day_text(seller.started), day_text(seller.ended) if seller.ended else "", stamp(modified),
        )  # fmt: skip
        self.ledger.add("people", row_id, connection, cells)
        if seller.moved:
            moved_at = stamp(self.calendar.midnight(seller.moved) + 36000)
            by = seller.lead.ids.get(connection, "") if seller.lead else ""
            change = ("person", row_id, "team", seller.earlier_team, seller.team, moved_at, by)
            self.ledger.append("changes", connection, change)
        self.truth.people[self.ledger.key(connection, row_id)] = {
            "skill": round(seller.skill, 4),
            "effort": round(seller.effort, 4),
            "habit": seller.habit,
            "role": seller.role,
        }
