"""Planted habits, the under-served region and what makes deals win can be seen in the files."""

from collections import Counter, defaultdict
from datetime import date, datetime
from statistics import mean, median

import pytest

from connectors.sandbox.folder import MemorySink, Tables
from connectors.sandbox.world import Simulated, World, _Company, simulate

END = date(2026, 6, 30)
EARLY_STAGES = {"Prospecting", "Qualification", "Renewal open"}
UNITS_PER_EURO = {"EUR": 1.0, "USD": 1.09, "JPY": 161.0}


@pytest.fixture(scope="module")
def company() -> Simulated:
    return simulate(World(seed=1, deals=5000, end=END))


@pytest.fixture(scope="module")
def tables(company: Simulated) -> Tables:
    return company.tables


def planted_person(company: Simulated, habit: str) -> str:
    (person,) = company.truth["planted"][habit]["person"]
    return str(person)


def quarter(day: str) -> str:
    return f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"


def executives(tables: Tables) -> list[str]:
    return [person["id"] for person in tables["people"] if person["role"] == "AE"]


def bookings(tables: Tables) -> dict[tuple[str, str], float]:
    """Euros won by person and quarter; mixed currencies at the first day's rates."""
    booked: dict[tuple[str, str], float] = defaultdict(float)
    for deal in tables["opportunities"]:
        if deal["outcome"] == "won" and deal["amount"] and deal["currency"] in UNITS_PER_EURO:
            key = deal["owner_id"], quarter(deal["close_on"])
            booked[key] += float(deal["amount"]) / UNITS_PER_EURO[deal["currency"]]
    return booked


def test_the_sandbagger_calls_far_less_than_comes_in(company: Simulated, tables: Tables) -> None:
    booked = bookings(tables)
    ratios: dict[str, list[bool]] = defaultdict(list)
    for call in tables["forecasts"]:
        over = call["period_end"] < END.isoformat() and call["layer"] == "rep" and call["category"] == "commit"
        if over and float(call["amount"]):
            actual = booked[call["owner_id"], quarter(call["period_start"])]
            ratios[call["owner_id"]].append(actual / float(call["amount"]) > 1.3)

    shares = {person: mean(above) for person, above in ratios.items()}

    sandbagger = planted_person(company, "sandbagger")
    assert shares[sandbagger] >= 0.75
    assert median(shares.values()) < 0.2


def test_the_sandbagger_keeps_deals_early_until_days_before_they_are_won(company: Simulated, tables: Tables) -> None:
    early: dict[str, list[bool]] = defaultdict(list)
    history: dict[str, list[dict[str, str]]] = defaultdict(list)
    for change in tables["changes"]:
        if change["record"] == "opportunity" and change["field"] == "stage":
            history[change["record_id"]].append(change)
    for deal in tables["opportunities"]:
        if deal["outcome"] == "won" and deal["owner_id"]:
            before = datetime.fromisoformat(deal["closed_at"]).timestamp() - 14 * 86400
            later = [c for c in history[deal["id"]] if datetime.fromisoformat(c["at"]).timestamp() > before]
            early[deal["owner_id"]].append(later[0]["old"] in EARLY_STAGES)

    sandbagger = planted_person(company, "sandbagger")

    assert mean(early[sandbagger]) > 0.6
    assert mean(share for person, cases in early.items() if person != sandbagger for share in cases) < 0.2


def test_the_sandbagger_wins_in_the_first_days_of_a_quarter(company: Simulated, tables: Tables) -> None:
    first_days = {f"{month}-0{day}" for month in ("01", "04", "07", "10") for day in range(1, 6)}
    soon: dict[str, list[bool]] = defaultdict(list)
    for deal in tables["opportunities"]:
        if deal["outcome"] == "won" and deal["owner_id"]:
            soon[deal["owner_id"]].append(deal["close_on"][5:] in first_days)

    sandbagger = planted_person(company, "sandbagger")

    assert mean(soon.pop(sandbagger)) > 4 * mean(early for cases in soon.values() for early in cases)


def test_the_pusher_moves_close_dates_again_and_again(company: Simulated, tables: Tables) -> None:
    pushes = Counter(c["record_id"] for c in tables["changes"] if c["field"] == "close_on" and c["new"] > c["old"])
    often: dict[str, list[bool]] = defaultdict(list)
    for deal in tables["opportunities"]:
        often[deal["owner_id"]].append(pushes[deal["id"]] >= 3)

    shares = {person: mean(often[person]) for person in executives(tables)}

    pusher = planted_person(company, "pusher")
    assert shares.pop(pusher) > 3 * max(shares.values())


def test_only_the_padder_logs_bursts_of_empty_calls(company: Simulated, tables: Tables) -> None:
    empty: dict[str, list[float]] = defaultdict(list)
    subjects: dict[str, set[str]] = defaultdict(set)
    for activity in tables["activities"]:
        if activity["duration_seconds"] == "0":
            empty[activity["owner_id"]].append(datetime.fromisoformat(activity["completed_at"]).timestamp())
            subjects[activity["owner_id"]].add(activity["subject_hash"])

    padder = planted_person(company, "padder")

    assert set(empty) == {padder}
    assert len(subjects[padder]) == 1
    times = sorted(empty[padder])
    bursts = sum(later - first <= 600 for first, later in zip(times, times[15:], strict=False))
    assert bursts >= company.truth["planted"]["padder"]["bursts"] > 20


def test_the_padder_also_calls_on_deals_that_are_closed(company: Simulated, tables: Tables) -> None:
    closed = {deal["id"]: deal["closed_at"] for deal in tables["opportunities"] if deal["closed_at"]}
    after = Counter(
        activity["owner_id"]
        for activity in tables["activities"]
        if activity["opportunity_id"] in closed
        and activity["completed_at"][:10] > closed[activity["opportunity_id"]][:10]
    )

    assert after.most_common(1)[0][0] == planted_person(company, "padder")


def test_one_region_has_more_customers_and_less_attention_than_the_others(company: Simulated, tables: Tables) -> None:
    poor = company.truth["planted"]["underserved_region"]["region"]
    region_of = {account["id"]: account["region"] for account in tables["accounts"]}
    accounts = Counter(region_of.values())
    deals = Counter(region_of[deal["account_id"]] for deal in tables["opportunities"])
    touches = Counter(region_of[a["account_id"]] for a in tables["activities"] if a["opportunity_id"])
    heads = Counter(p["region"] for p in tables["people"] if p["role"] == "AE" and p["active"] == "true")

    attention = {region: touches[region] / deals[region] for region in deals}
    load = {region: accounts[region] / heads[region] for region in deals}

    assert attention.pop(poor) < 0.75 * min(attention.values())
    assert load.pop(poor) > 1.5 * max(load.values())


def test_nothing_is_planted_where_nothing_is_wanted() -> None:
    company = simulate(World(seed=1, deals=200, people=10, end=END, planted=False))

    assert company.truth["planted"] == {}
    assert {person["habit"] for person in company.truth["people"].values()} == {""}


def test_able_people_win_more_often(company: Simulated, tables: Tables) -> None:
    results: dict[str, list[bool]] = defaultdict(list)
    for deal in tables["opportunities"]:
        if deal["outcome"] in {"won", "lost"} and deal["owner_id"]:
            results[deal["owner_id"]].append(deal["outcome"] == "won")
    skill = company.truth["people"]
    ranked = sorted((p for p in executives(tables) if len(results[p]) >= 30), key=lambda p: skill[p]["skill"])

    third = len(ranked) // 3
    poor, able = ([won for person in part for won in results[person]] for part in (ranked[:third], ranked[-third:]))

    assert mean(able) > mean(poor) + 0.08


def test_conversations_make_a_win_likelier() -> None:
    simulation = _Company(World(seed=1, deals=10, people=8, end=END), MemorySink(spread=False))
    simulation.sales.create(simulation.ground.calendar.first)
    (deal,) = simulation.sales.open.values()

    chances = []
    for deal.recent in (0, 2, 4):
        chances.append(simulation.sales.chance_to_advance(deal))

    assert chances[0] < chances[1] < chances[2] < 1


def test_conversations_before_the_end_foretell_a_win(tables: Tables) -> None:
    share: dict[str, list[bool]] = defaultdict(list)
    for activity in tables["activities"]:
        if activity["opportunity_id"] and activity["kind"] != "task":
            share[activity["opportunity_id"]].append(activity["two_way"] == "true")
    scores: dict[str, list[float]] = {"won": [], "lost": []}
    for deal in tables["opportunities"]:
        if deal["outcome"] in scores and len(share[deal["id"]]) >= 3:
            scores[deal["outcome"]].append(mean(share[deal["id"]]))

    pairs = [(won > lost) + 0.5 * (won == lost) for won in scores["won"][:400] for lost in scores["lost"][:400]]

    assert mean(pairs) > 0.65


def test_targets_are_within_reach_of_half_of_the_people(tables: Tables) -> None:
    booked = bookings(tables)

    reached = [
        booked[target["subject_id"], quarter(target["period_start"])] >= float(target["amount"])
        for target in tables["targets"]
        if target["subject_kind"] == "person" and "2024-07" <= target["period_start"] < "2026-04"
    ]

    assert 0.4 < mean(reached) < 0.7
