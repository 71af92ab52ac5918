"""The simulated company's days, quarters, seasons and clock. Moments are whole seconds since 1970, UTC."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from connectors.sandbox.world.chance import Chance

SEASON = (85, 92, 112, 95, 100, 108, 82, 72, 108, 110, 118, 90)
"""How busy each month is, in percent of an average one. Whole numbers: from 3.12 on Python adds floats up otherwise."""

EPOCH = date(1970, 1, 1).toordinal()
DAY = 86400


@lru_cache(maxsize=8192)
def day_text(day: int) -> str:
    """ISO date of a day number (``date.toordinal``)."""
    return date.fromordinal(day).isoformat()


def stamp(moment: int) -> str:
    """ISO text of a moment, in UTC."""
    day, second = divmod(moment, DAY)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{day_text(day + EPOCH)}T{hour:02}:{minute:02}:{second:02}Z"


def quarter_start(day: int) -> int:
    """First day of the calendar quarter that holds the day."""
    on = date.fromordinal(day)
    return date(on.year, (on.month - 1) // 3 * 3 + 1, 1).toordinal()


def quarter_after(day: int) -> int:
    """First day of the quarter behind the one that holds the day."""
    return quarter_start(quarter_start(day) + 100)


def is_workday(day: int) -> bool:
    """Monday to Friday (day numbers count Monday 1 January of year 1 as 1)."""
    return day % 7 in range(1, 6)


def workday(day: int) -> int:
    """The day, or the Monday behind a weekend."""
    over = (day - 1) % 7
    return day if over < 5 else day + 7 - over


class Calendar:
    """Days ``[first, end)`` in the company's time zone. Nothing is recorded on ``end``, the day of observation."""

    def __init__(self, first: date, end: date, time_zone: str) -> None:
        self.first = first.toordinal()
        self.end = end.toordinal()
        self._zone = ZoneInfo(time_zone)
        self._midnights: dict[int, int] = {}
        self.limit = self.midnight(self.end)
        self._shares = [0]
        for day in range(self.first, self.end):
            self._shares.append(self._shares[-1] + self.workload_between(day, day + 1))
        self.workload = self._shares[-1]

    def midnight(self, day: int) -> int:
        """The moment the day begins in the company's time zone."""
        known = self._midnights.get(day)
        if known is None:
            on = date.fromordinal(day)
            local = datetime(on.year, on.month, on.day, tzinfo=self._zone)
            known = self._midnights[day] = int(
                (local.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
            )
        return known

    def at_work(self, day: int, chance: Chance) -> int:
        """A moment of the day's working hours, 8:00 to 18:00."""
        return self.midnight(day) + 28800 + int(chance.random() * 36000)

    def day_of(self, moment: int) -> int:
        """The local day of a moment."""
        day = moment // DAY + EPOCH
        if moment < self.midnight(day):
            return day - 1
        return day + 1 if moment >= self.midnight(day + 1) else day

    @staticmethod
    def workload_between(start: int, end: int) -> int:
        """How much there is to do on the days ``[start, end)``: working days, weighted by season."""
        return sum(SEASON[date.fromordinal(day).month - 1] for day in range(start, end) if is_workday(day))

    def share_until(self, day: int) -> float:
        """Share of all the work that is done when the day begins."""
        return self._shares[min(max(day - self.first, 0), len(self._shares) - 1)] / self.workload

    def quarters(self) -> list[tuple[int, int]]:
        """First days ``[start, end)`` of every quarter that the simulated days touch."""
        found = []
        start = quarter_start(self.first)
        while start < self.end:
            found.append((start, quarter_after(start)))
            start = quarter_after(start)
        return found
