"""What a row only points to: currencies, processes, teams, parties of activities, metrics. Asked once, or per page."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.dynamics.api import IDS_AT_ONCE, DynamicsApi, address
from connectors.dynamics.multipart import Part
from connectors.dynamics.settings import DynamicsSettings
from connectors.dynamics.streams import CONTACTS, CURRENCY, METRIC, PARTICIPANTS, PIPELINE, RATE, TEAM
from connectors.dynamics.values import inverse, target_of
from connectors.records import OPEN_END

Rows = Sequence[dict[str, Any]]

ALWAYS = "1970-01-01"
"""Day from which a rate holds: Dynamics keeps the current one only."""

_CURRENCIES, _PROCESSES, _BASE = "currencies", "processes", "base_currency"


@dataclass(frozen=True, slots=True)
class _Names:
    """A small table of names by id."""

    path: str
    key: str
    name: str


_OF_DEALS = "category eq 4 and primaryentity eq 'opportunity'"
_NAMES = {
    _CURRENCIES: _Names(
        address("transactioncurrencies", select="transactioncurrencyid,isocurrencycode"),
        "transactioncurrencyid",
        "isocurrencycode",
    ),
    _PROCESSES: _Names(address("workflows", select="workflowid,name", filter=_OF_DEALS), "workflowid", "name"),
}
_ACCESS_TEAM = 1
_REGARDING, _OWNER = 8, 9


class Lookups:
    """Fills the paths that take rows of other tables. What holds for long is kept in ``learnt``."""

    def __init__(self, api: DynamicsApi, settings: DynamicsSettings, learnt: dict[str, str]) -> None:
        self._api = api
        self._settings = settings
        self._learnt = learnt
        self._in_vain: dict[str, set[str]] = defaultdict(set)
        self._teams: dict[str, str] | None = None

    def fill(self, rows: Rows, paths: Iterable[str]) -> None:
        """Adds to rows what ``paths`` ask for."""
        wanted = set(paths) if rows else set()
        for path, key, column in (
            (CURRENCY, _CURRENCIES, "_transactioncurrencyid_value"), (PIPELINE, _PROCESSES, "processid"),
        ):  # fmt: skip
            if path in wanted:
                known = self._known(key, {row[column] for row in rows if row.get(column)})
                for row in rows:
                    row[path] = known.get(row.get(column) or "")
        if TEAM in wanted:
            self._add_teams(rows)
        if {CONTACTS, PARTICIPANTS} & wanted:
            self._add_parties(rows)
        if METRIC in wanted:
            self._add_metrics(rows)
        if RATE in wanted:
            self._add_rates(rows)

    def forget_teams(self) -> None:
        """Teams are asked for again: a process may live long, and they are renamed and made."""
        self._teams = None

    def prepare(self) -> None:
        """Learns by one call what most pulls ask for. What is refused is asked again where it is needed."""
        unknown = [key for key in _NAMES if key not in self._learnt]
        parts = [Part("GET", f"{self._api.root}{_NAMES[key].path}") for key in unknown]
        for key, said in zip(unknown, self._api.batch(parts) if parts else (), strict=True):
            if said.status == 200:
                self._keep(key, said.body["value"])

    def base_currency(self) -> str:
        """ISO code of the organisation's base currency, which can never be changed."""
        if _BASE not in self._learnt:
            row = self._api.rows(address("organizations", select="_basecurrencyid_value"))[0]
            base = row["_basecurrencyid_value"]
            self._learnt[_BASE] = self._known(_CURRENCIES, {base})[base]
        return self._learnt[_BASE]

    def _known(self, key: str, ids: set[str]) -> dict[str, str]:
        """Names by id; asked anew when there is an id that we do not know and did not ask for in vain before."""
        known: dict[str, str] = json.loads(self._learnt.get(key, "{}"))
        if not ids <= known.keys() | self._in_vain[key]:
            known = self._keep(key, self._api.rows(_NAMES[key].path))
            self._in_vain[key] |= ids - known.keys()
        return known

    def _keep(self, key: str, rows: Rows) -> dict[str, str]:
        names = _NAMES[key]
        known = {row[names.key]: row[names.name] for row in rows}
        self._learnt[key] = json.dumps(known, sort_keys=True)
        return known

    def _add_teams(self, rows: Rows) -> None:
        """A person's team: of those that are no business unit's own and no access team, the first by name."""
        if self._teams is None:
            found = self._api.rows(address("teams", select="teamid,name,teamtype,isdefault"))
            self._teams = {
                row["teamid"]: row["name"]
                for row in found
                if not row.get("isdefault") and row.get("teamtype") != _ACCESS_TEAM and row.get("name")
            }
        names: dict[str, list[str]] = defaultdict(list)
        for row in self._memberships([row["systemuserid"] for row in rows]):
            if row["teamid"] in self._teams:
                names[row["systemuserid"]].append(self._teams[row["teamid"]])
        for row in rows:
            row[TEAM] = min(names.get(row["systemuserid"], ()), default=None)

    def _memberships(self, people: Sequence[str]) -> list[dict[str, Any]]:
        if len(people) > IDS_AT_ONCE:
            return self._api.rows(address("teammemberships", select="systemuserid,teamid"))
        return self._api.rows_by_ids("teammemberships", "systemuserid,teamid", "systemuserid", people)

    def _add_parties(self, rows: Rows) -> None:
        """Who took part: one call for a page of activities."""
        select = "_activityid_value,_partyid_value,participationtypemask"
        parties: dict[str, list[dict[str, Any]]] = defaultdict(list)
        ids = [row["activityid"] for row in rows]
        for party in self._api.rows_by_ids("activityparties", select, "_activityid_value", ids):
            parties[party["_activityid_value"]].append(party)
        for row in rows:
            row.update(_by_kind(parties.get(row["activityid"], ()), row.get("_ownerid_value")))

    def _add_metrics(self, rows: Rows) -> None:
        """Goals count in our words: what rolls up the revenue of won deals is bookings."""
        where = "sourceentity eq 'opportunity' and sourceattribute eq 'actualvalue'"
        path = address("rollupfields", select="_metricid_value", filter=where)
        bookings = {row["_metricid_value"] for row in self._api.optional_rows(path)}
        for row in rows:
            name = row.get("_metricid_value@label") or ""
            plain = name.strip().lower().replace(" ", "_")
            ours = "bookings" if row.get("_metricid_value") in bookings else plain
            row[METRIC] = self._settings.goal_metrics.get(name, ours or None)

    def _add_rates(self, rows: Rows) -> None:
        # exchangerate: how many units of the currency one base unit buys. A rate says it the other way round.
        base = self.base_currency()
        for row in rows:
            row["@to"], row[RATE] = base, inverse(row.get("exchangerate"))
            row["@on"], row["@until"] = ALWAYS, OPEN_END.isoformat()


def _by_kind(parties: Iterable[Mapping[str, Any]], owner: str | None) -> dict[str, Any]:
    contacts: list[str] = []
    people: list[str] = []
    for party in parties:
        held, role = party.get("_partyid_value"), party.get("participationtypemask")
        if not held or role in (_REGARDING, _OWNER):
            continue
        table = target_of(party, "_partyid_value")
        if table == "contact":
            contacts.append(held)
        elif table == "systemuser" and held != owner:
            people.append(held)
    return {CONTACTS: contacts or None, PARTICIPANTS: people or None}
