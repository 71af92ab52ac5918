"""HubSpot's three id spaces of one human: owner (what deals hold), user (what history and goals hold), users record."""

import threading
from collections.abc import Sequence
from typing import Any

from connectors.hubspot.api import HubSpotApi, Json


class People:
    """Who is who in one account. Lists are read when first needed, and learned from whenever they pass by."""

    def __init__(self, api: HubSpotApi) -> None:
        self._api = api
        self._owner_of: dict[str, str] = {}
        self._team_names: dict[str, str] = {}
        self._seen: set[bool] = set()
        self._records: dict[str, str] | None = None
        self._asking = threading.Lock()

    def owners(self, *, archived: bool) -> list[Json]:
        """The people among the owners: active ones, or those who left. Queues are not people."""
        found = [owner for owner in self._api.owners(archived=archived) if owner.get("type") != "QUEUE"]
        for owner in found:
            user = owner.get("userId") or owner.get("userIdIncludingInactive")
            if user is not None:
                self._owner_of[str(user)] = str(owner["id"])
            for team in owner.get("teams") or ():
                self._team_names[str(team["id"])] = str(team["name"])
        self._seen.add(archived)
        return found

    def owner_of(self, user_id: Any) -> str | None:
        """The owner id of a user id; None for a user who owns nothing (an integration) and for nobody."""
        if user_id in (None, ""):
            return None
        self._look_for(str(user_id), self._owner_of)
        return self._owner_of.get(str(user_id))

    def team_of(self, team_id: Any) -> str | None:
        """The name of a team that has members."""
        if team_id in (None, ""):
            return None
        self._look_for(str(team_id), self._team_names)
        return self._team_names.get(str(team_id))

    def _look_for(self, key: str, known: dict[str, str]) -> None:
        for archived in (False, True):
            if key in known:
                return
            with self._asking:  # parts of a full pull are read side by side
                if archived not in self._seen:
                    self.owners(archived=archived)

    def users(self, properties: Sequence[str]) -> dict[str, Json]:
        """Properties of the users objects by owner id."""
        wanted = sorted({*properties, "hubspot_owner_id", "hs_internal_user_id"})
        found = {}
        for page in self._api.pages("users", wanted):
            for row in page["results"]:
                values = row["properties"]
                owner = values.get("hubspot_owner_id") or self.owner_of(values.get("hs_internal_user_id"))
                if owner:
                    found[str(owner)] = {**values, "id": str(row["id"])}
        self._records = {owner: values["id"] for owner, values in found.items()}
        return found

    def record_of(self, owner_id: str) -> str | None:
        """The id of an owner's users object; None if there is none, as for people who left."""
        if self._records is None or owner_id not in self._records:
            self.users(())
        return (self._records or {}).get(owner_id)
