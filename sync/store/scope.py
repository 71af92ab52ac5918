"""What a few subjects need: the deals of a person, the family of an account, the mirrors of a deal. All by index."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sync.store.codec import codec
from sync.store.engine import Tx

Subject = tuple[str, str]
"""A connection's name and the CRM's own id."""
_LIST = 20_000
_COPIES_WITHIN = timedelta(days=31)
"""Close dates of a deal and its copy lie nearer than this (domain guide 6)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Subjects to be scored again. Of people only the deals that are open, or close on ``since`` or later, are needed."""

    opportunities: frozenset[Subject] = frozenset()
    persons: frozenset[Subject] = frozenset()
    accounts: frozenset[Subject] = frozenset()
    since: date | None = None
    activities_of_persons: bool = False
    """Whether what people did counts by itself (metrics over activities), and not only for the deals they did it on."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to read for a scope.

    ``deals`` come with their activities, changes, splits, line items and payments; ``family`` are other deals of the same
    account families, which only tell who was a customer before.
    """

    deals: set[Subject] = field(default_factory=set)
    family: set[Subject] = field(default_factory=set)
    accounts: set[Subject] = field(default_factory=set)
    persons: set[Subject] = field(default_factory=set)
    activities_of_persons: bool = False


def by_connection(subjects: Iterable[Subject]) -> dict[str, list[str]]:
    """Sorted ids by connection."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for connection, remote_id in sorted(subjects):
        ids[connection].append(remote_id)
    return dict(ids)


def resolve(tx: Tx, scope: Scope) -> Selection:
    """Everything that the subjects of a scope need, by the newest versions."""
    deals = set(scope.opportunities) | deals_of_people(tx, scope.persons, scope.since)
    deals |= _find(tx, "opportunity", "account_id", scope.accounts, "remote_id")
    deals |= _mirrors(tx, deals)
    accounts = set(scope.accounts) | _find(tx, "opportunity", "remote_id", deals, "account_id")
    accounts = _families(tx, accounts)
    family = _family(tx, accounts, scope.since)
    family |= _mirrors(tx, family)
    return Selection(deals, family - deals, accounts, set(scope.persons), scope.activities_of_persons)


def deals_of_people(tx: Tx, persons: Iterable[Subject], since: date | None) -> set[Subject]:
    """Deals that people own, have owned or have a split of: those that are open or close on ``since`` or later."""
    late = "1 = 1" if since is None else _open_or_late(since)
    owned = _find(tx, "opportunity", "owner_id", persons, "remote_id", and_also=late)
    shared = _find(tx, "split", "person_id", persons, "opportunity_id")
    moves = "field = 'owner_id' AND record = 'opportunity'"
    taken = _find(tx, "change", "new", persons, "record_id", and_also=moves)
    given = _find(tx, "change", "old", persons, "record_id", and_also=moves)
    return owned | _recent(tx, shared | taken | given, since)


def _recent(tx: Tx, deals: set[Subject], since: date | None) -> set[Subject]:
    """Those of some deals that are not closed by their stage, or close on ``since`` or later."""
    if since is None or not deals:
        return deals
    return _find(tx, "opportunity", "remote_id", deals, "remote_id", and_also=_open_or_late(since))


def _open_or_late(since: date) -> str:
    closed = _stage_is("s.outcome <> 'open'")
    return f"(close_on IS NULL OR close_on >= '{since.isoformat()}' OR NOT {closed})"


def _stage_is(condition: str) -> str:
    same = "s.current AND s.connection = opportunity.connection AND s.stage = opportunity.stage"
    return f"EXISTS (SELECT 1 FROM stage s WHERE {same} AND {condition})"  # noqa: S608 - our own conditions


def _family(tx: Tx, accounts: set[Subject], since: date | None) -> set[Subject]:
    """Deals of some accounts: wins tell who was a customer before, and what is as recent as ours may be a copy of ours."""
    told = "1 = 1"
    if since is not None:
        winning = _stage_is("s.outcome = 'won'")
        won = f"(outcome = 'won' OR {winning})"
        told = f"({won} OR {_open_or_late(since - _COPIES_WITHIN)})"
    return _find(tx, "opportunity", "account_id", accounts, "remote_id", and_also=told)


def people_of(tx: Tx, deals: Iterable[Subject]) -> set[Subject]:
    """Everybody whose results some deals can move: owners now, before and by the changes, and who has a split."""
    moves = "field = 'owner_id' AND record = 'opportunity'"
    return (
        _find(tx, "opportunity", "remote_id", deals, "owner_id")
        | past_values(tx, "opportunity", deals, "owner_id")
        | _find(tx, "change", "record_id", deals, "old", and_also=moves)
        | _find(tx, "change", "record_id", deals, "new", and_also=moves)
        | _find(tx, "split", "opportunity_id", deals, "person_id")
    )


def deals_of_accounts(tx: Tx, accounts: Iterable[Subject]) -> set[Subject]:
    """Deals of some accounts' families."""
    return _find(tx, "opportunity", "account_id", _families(tx, set(accounts)), "remote_id")


def neighbours(tx: Tx, deals: Iterable[Subject]) -> set[Subject]:
    """All deals of the accounts that some deals belong to, or belonged to: one may be the other's copy."""
    accounts = _find(tx, "opportunity", "remote_id", deals, "account_id")
    accounts |= past_values(tx, "opportunity", deals, "account_id")
    return _find(tx, "opportunity", "account_id", accounts, "remote_id")


def past_values(tx: Tx, kind: str, records: Iterable[Subject], column: str) -> set[Subject]:
    """What older versions of some records said in a column that names another record."""
    return _find(tx, kind, "remote_id", records, column, current=False)


def copies_of(tx: Tx, deals: Iterable[Subject]) -> set[Subject]:
    """Deals that are some deals in another CRM, or were until their external id changed."""
    was = past_values(tx, "opportunity", deals, "external_id")
    return _mirrors(tx, deals) | _named(tx, {name for _, name in was})


def accounts_of_wins(tx: Tx, deals: Iterable[Subject]) -> set[Subject]:
    """Accounts, also former ones, of those of some deals that are or were won: by them others are new business or not."""
    by_stage = (
        "EXISTS (SELECT 1 FROM stage s WHERE s.current AND s.connection = opportunity.connection "
        "AND s.stage = opportunity.stage AND s.outcome = 'won')"
    )
    is_won = f"(outcome = 'won' OR (outcome IS NULL AND {by_stage}))"
    won = _find(tx, "opportunity", "remote_id", deals, "remote_id", and_also=is_won)
    won |= _find(tx, "opportunity", "remote_id", deals, "remote_id", and_also=is_won, current=False)
    return _find(tx, "opportunity", "remote_id", won, "account_id") | past_values(tx, "opportunity", won, "account_id")


def _mirrors(tx: Tx, deals: Iterable[Subject]) -> set[Subject]:
    """The same deals in other connections, by their external id."""
    return _named(tx, {name for _, name in _find(tx, "opportunity", "remote_id", deals, "external_id")})


def _named(tx: Tx, external_ids: Iterable[str]) -> set[Subject]:
    names = sorted(external_ids)
    prepared = codec("opportunity", tx.dialect)
    found: set[Subject] = set()
    for start in range(0, len(names), _LIST):
        statement = (
            "SELECT connection, remote_id FROM opportunity "  # noqa: S608 - a prepared condition, its values are bound
            f"WHERE current AND external_id IS NOT NULL AND {prepared.among('external_id')}"
        )
        found |= _pairs(tx, statement, (prepared.listed(names[start : start + _LIST]),))
    return found


def _families(tx: Tx, accounts: set[Subject]) -> set[Subject]:
    """Accounts with all their parents, and everything below those; circles end where they close."""
    family = _closure(tx, accounts, "remote_id", "parent_id")
    return _closure(tx, family, "parent_id", "remote_id")


def _closure(tx: Tx, start: set[Subject], column: str, then: str) -> set[Subject]:
    found, fresh = set(start), set(start)
    while fresh:
        fresh = _find(tx, "account", column, fresh, then) - found
        found |= fresh
    return found


def _find(
    tx: Tx,
    kind: str,
    column: str,
    subjects: Iterable[Subject],
    then: str,
    *,
    and_also: str = "1 = 1",
    current: bool = True,
) -> set[Subject]:
    """``then`` of versions (the newest, or those before) whose ``column`` is among some ids, within each connection.

    The statement asks for neither DISTINCT nor NOT NULL: for either SQLite walks through the whole index of ``then``.
    """
    prepared = codec(kind, tx.dialect)
    which = "current" if current else "NOT current"
    statement = (
        f'SELECT connection, "{then}" FROM "{kind}" WHERE {which} AND {and_also} '  # noqa: S608 - our own names
        f"AND connection = {prepared.mark} AND {prepared.among(column)}"
    )
    found: set[Subject] = set()
    for connection, ids in by_connection(subjects).items():
        for start in range(0, len(ids), _LIST):
            found |= _pairs(tx, statement, (connection, prepared.listed(ids[start : start + _LIST])))
    return found


def _pairs(tx: Tx, statement: str, parameters: Sequence[object]) -> set[Subject]:
    cursor = tx.cursor()
    cursor.execute(statement, tuple(parameters))
    found = {(connection, value) for connection, value in cursor if value is not None}
    cursor.close()
    return found
