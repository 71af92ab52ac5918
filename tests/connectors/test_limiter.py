"""Waiting before a call is sent, so that the CRM never has to refuse one."""

from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest

from connectors.errors import AllowanceError
from connectors.limiter import Limiter, Usage
from connectors.settings import Allowance


class Wall:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def wall() -> Wall:
    return Wall()


def limiter(clock: Any, wall: Wall | None = None, **kwargs: Any) -> Limiter:
    kwargs.setdefault("buckets", {"general": (4, 10.0)})
    return Limiter(**kwargs, sleep=clock.sleep, monotonic=clock, now=wall or Wall())


def test_calls_within_the_limit_go_at_once_and_the_next_waits_its_turn(clock: Any) -> None:
    limit = limiter(clock)

    for _ in range(9):
        limit.admit("general")

    assert clock.slept == [10.0, 10.0]


def test_no_window_of_the_limits_length_holds_more_calls_than_allowed(clock: Any) -> None:
    limit = limiter(clock)
    sent = []
    for pause in (0, 3, 3, 3, 3, 0, 0, 0, 1, 9, 0, 0, 0):
        clock.now += pause
        limit.admit("general")
        sent.append(clock.now)

    most = max(sum(1 for other in sent if start <= other < start + 10) for start in sent)

    assert most == 4


def test_a_narrow_limit_counts_in_the_general_one_too(clock: Any) -> None:
    limit = limiter(clock, buckets={"general": (3, 10.0), "search": (2, 1.0)})

    for bucket in ("search", "search", "general", "general"):
        limit.admit(bucket)

    assert clock.slept == [10.0]


def test_a_limit_named_by_the_crm_is_used_to_nine_tenths(clock: Any) -> None:
    limit = limiter(clock)

    limit.learn("general", Usage(bucket_max=10, bucket_seconds=5.0))
    for _ in range(10):
        limit.admit("general")

    assert clock.slept == [5.0]


def test_a_complaint_slows_us_down_and_good_answers_speed_us_up_again(clock: Any) -> None:
    limit = limiter(clock, buckets={"general": (10, 10.0)})

    limit.throttled("general")
    for _ in range(9):
        limit.admit("general")
    assert clock.slept == [10.0], "eight, then a wait"

    clock.now += 100
    clock.slept.clear()
    for _ in range(20):
        limit.learn("general", Usage())
    for _ in range(11):
        limit.admit("general")

    assert clock.slept == [10.0], "ten, then a wait"


def test_when_nothing_remains_we_hold_back(clock: Any) -> None:
    limit = limiter(clock)

    limit.learn("general", Usage(bucket_remaining=0))
    limit.admit("general")

    assert clock.slept == [5.0]


def test_an_undeclared_bucket_is_a_mistake(clock: Any) -> None:
    with pytest.raises(KeyError, match="name it in Manners"):
        limiter(clock).admit("export")


def test_our_share_of_the_day_is_never_passed(clock: Any, wall: Wall) -> None:
    limit = limiter(clock, wall, allowance=Allowance(share=Decimal("0.1")))
    limit.learn("general", Usage(day_used=5, day_max=30))
    for _ in range(3):
        limit.admit("general")

    with pytest.raises(AllowanceError, match="our 3 calls of the day are spent") as caught:
        limit.admit("general")

    assert caught.value.after_seconds == 7200, "until midnight UTC"
    wall.moment = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    limit.admit("general")
    assert limit.snapshot() == (date(2026, 11, 24), 1)


def test_calls_a_day_go_before_a_share(clock: Any) -> None:
    limit = limiter(clock, allowance=Allowance(calls=1))
    limit.learn("general", Usage(day_max=1000))
    limit.admit("general")

    with pytest.raises(AllowanceError):
        limit.admit("general")


def test_a_count_survives_a_restart_within_its_day(clock: Any) -> None:
    limit = limiter(clock, allowance=Allowance(calls=10))
    limit.start_used(date(2026, 11, 23), 9)
    limit.admit("general")

    with pytest.raises(AllowanceError):
        limit.admit("general")

    assert limit.used_today == 10


def test_a_count_of_another_day_is_forgotten(clock: Any) -> None:
    limit = limiter(clock)

    limit.start_used(date(2026, 11, 22), 9)

    assert limit.used_today == 0


def test_the_last_calls_of_the_whole_account_are_left_to_people(clock: Any) -> None:
    limit = limiter(clock, allowance=Allowance(share=Decimal(1)))
    limit.learn("general", Usage(day_used=960, day_max=1000))

    with pytest.raises(AllowanceError, match="960 of 1000 calls used by all programs"):
        limit.admit("general")

    clock.now += 901
    limit.admit("general")  # one call asks again whether there is room


def test_a_shut_door_opens_after_its_time(clock: Any) -> None:
    limit = limiter(clock)
    limit.shut(30)

    with pytest.raises(AllowanceError) as caught:
        limit.admit("general")

    assert caught.value.after_seconds == 30
    clock.now += 30
    limit.admit("general")


def test_one_sign_in_has_one_limiter_and_a_reloaded_allowance_counts() -> None:
    first = Limiter.shared("test one", {"general": (5, 1.0)}, Allowance(calls=1))

    second = Limiter.shared("test one", {"general": (5, 1.0)}, Allowance(calls=7))

    assert first is second
    assert first.day_share == 7
    assert Limiter.shared("test two") is not first


def test_threads_share_the_turns(clock: Any) -> None:
    limit = limiter(clock, buckets={"general": (50, 10.0)})

    def work() -> None:
        for _ in range(25):
            limit.admit("general")

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert limit.used_today == 100
    assert clock.slept, "half of them had to wait"
