"""Owners, teams, users of the account, account details, usage, currencies and deal splits."""

from decimal import Decimal
from typing import Any

from connectors.sandbox.hubspot.errors import invalid, not_found, rows_not_found, too_many_inputs
from connectors.sandbox.hubspot.limits import Limits
from connectors.sandbox.hubspot.portal import Owner, Portal, Rate, Split
from connectors.sandbox.hubspot.rows import after_of, batch_reply, flag, limit_of
from connectors.sandbox.hubspot.shapes import read_body
from connectors.sandbox.hubspot.values import iso
from connectors.sandbox.routing import Reply, Request

_NAMES = {"EUR": "Euro", "USD": "US Dollar", "GBP": "British Pound", "JPY": "Japanese Yen", "CNY": "Chinese Yuan"}
_MOST = 100
Row = dict[str, Any]


class People:
    """Handlers of owners, teams and account users."""

    def __init__(self, portal: Portal, page_cap: int | None) -> None:
        self.portal = portal
        self.page_cap = page_cap

    def owners(self, request: Request) -> Reply:
        """Owners by ascending id; leavers only with ``archived=true``."""
        limit = limit_of(request, 100, 500)
        limit = min(limit, self.page_cap or limit)
        archived, email, last = flag(request, "archived"), request.first("email"), after_of(request)
        found = [one for _, one in sorted(self.portal.owners.items()) if one.archived is archived and one.id > last]
        if email:
            found = [one for one in found if (one.email or "").casefold() == email.casefold()]
        body: Row = {"results": [self._owner(one) for one in found[:limit]]}
        if len(found) > limit:
            body["paging"] = {"next": {"after": str(found[limit - 1].id)}}
        return Reply(body=body)

    def owner(self, request: Request, owner: str) -> Reply:
        """One owner by owner id, or with ``idProperty=userId`` by user id."""
        by_user = request.first("idProperty", "id") == "userId"
        archived = flag(request, "archived")
        for one in self.portal.owners.values():
            if str(one.user_id if by_user else one.id) == owner and one.archived is archived:
                return Reply(body=self._owner(one))
        raise not_found(f"Owner {owner} does not exist")

    def _owner(self, owner: Owner) -> Row:
        shown: Row = {
            "id": str(owner.id),
            "email": owner.email,
            "type": "PERSON",
            "firstName": owner.first or "",
            "lastName": owner.last or "",
            "userId": None if owner.archived else owner.user_id,
            "userIdIncludingInactive": owner.user_id,
            "createdAt": iso(owner.created_ms),
            "updatedAt": iso(owner.updated_ms),
            "archived": owner.archived,
        }
        if owner.team_ids:
            shown["teams"] = [
                {"id": str(team), "name": self.portal.teams[team], "primary": at == 0}
                for at, team in enumerate(owner.team_ids)
            ]
        return shown

    def teams(self, request: Request) -> Reply:
        """Teams with the user ids of their members."""
        active = [one for one in self.portal.owners.values() if not one.archived]
        results = [
            {
                "id": str(team),
                "name": name,
                "userIds": [str(one.user_id) for one in active if one.team_ids[:1] == [team]],
                "secondaryUserIds": [str(one.user_id) for one in active if team in one.team_ids[1:]],
            }
            for team, name in self.portal.teams.items()
        ]
        return Reply(body={"results": results})

    def users(self, request: Request) -> Reply:
        """Users of the account by ascending user id."""
        limit, last = limit_of(request, 100, 100), after_of(request)
        active = sorted((one for one in self.portal.owners.values() if not one.archived), key=lambda one: one.user_id)
        found = [one for one in active if one.user_id > last]
        body: Row = {"results": [self._user(one) for one in found[:limit]]}
        if len(found) > limit:
            body["paging"] = {"next": {"after": str(found[limit - 1].user_id)}}
        return Reply(body=body)

    def user(self, request: Request, user: str) -> Reply:
        """One user by user id, or with ``idProperty=EMAIL`` by e-mail."""
        by_email = request.first("idProperty", "USER_ID") == "EMAIL"
        for one in self.portal.owners.values():
            if (one.email if by_email else str(one.user_id)) == user and not one.archived:
                return Reply(body=self._user(one))
        raise not_found(f"User {user} does not exist")

    def _user(self, owner: Owner) -> Row:
        shown: Row = {"id": str(owner.user_id), "email": owner.email or "", "roleIds": [], "superAdmin": False}
        if owner.team_ids:
            shown["primaryTeamId"] = str(owner.team_ids[0])
            shown["secondaryTeamIds"] = [str(team) for team in owner.team_ids[1:]]
        return shown


class Account:
    """Handlers of account details, usage and currencies."""

    def __init__(self, portal: Portal, limits: Limits) -> None:
        self.portal = portal
        self.limits = limits

    def details(self, request: Request) -> Reply:
        """Who the account is: id, time zone, currencies."""
        offset = self.portal.now().astimezone(self.portal.time_zone).utcoffset()
        seconds = int(offset.total_seconds()) if offset else 0
        sign = "-" if seconds < 0 else "+"
        return Reply(
            body={
                "portalId": self.portal.portal_id,
                "accountType": "STANDARD",
                "timeZone": self.portal.time_zone.key,
                "companyCurrency": self.portal.currency,
                "additionalCurrencies": self.portal.currencies(),
                "utcOffset": f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) % 3600 // 60:02d}",
                "utcOffsetMilliseconds": seconds * 1000,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "eu1",
            }
        )

    def usage(self, request: Request) -> Reply:
        """What is used of the day's calls."""
        now = self.portal.now_ms()
        return Reply(
            body={
                "results": [
                    {
                        "name": "private-apps-api-calls-daily",
                        "usageLimit": self.limits.day_max,
                        "currentUsage": self.limits.day_used,
                        "collectedAt": iso(now),
                        "fetchStatus": "SUCCESS",
                        "resetsAt": iso(self.portal.midnight_ms()),
                    }
                ]
            }
        )

    def company_currency(self, request: Request) -> Reply:
        """The company's own currency."""
        return Reply(body={"currencyCode": self.portal.currency, **self._stamps(0)})

    def codes(self, request: Request) -> Reply:
        """The currencies there are."""
        codes = sorted({*_NAMES, self.portal.currency, *self.portal.currencies()})
        return Reply(body={"results": [{"currencyCode": one, "currencyName": _NAMES.get(one, one)} for one in codes]})

    def current_rates(self, request: Request) -> Reply:
        """The rate of each currency that holds now."""
        now = self.portal.now_ms()
        newest: dict[str, Rate] = {}
        for rate in sorted(self.portal.rates, key=lambda one: (one.since_ms, one.id)):
            if rate.since_ms <= now:
                newest[rate.source] = rate
        return Reply(body={"results": [self._rate(one) for one in newest.values()]})

    def rates(self, request: Request) -> Reply:
        """Every rate by ascending id, of one currency if named."""
        limit, last = limit_of(request, 100, 100), after_of(request)
        source, target = request.first("fromCurrencyCode"), request.first("toCurrencyCode")
        found = [
            one
            for one in self.portal.rates
            if one.id > last and source in (None, one.source) and target in (None, one.target)
        ]
        found.sort(key=lambda one: one.id)
        body: Row = {"results": [self._rate(one) for one in found[:limit]]}
        if len(found) > limit:
            body["paging"] = {"next": {"after": str(found[limit - 1].id)}}
        return Reply(body=body)

    def _rate(self, rate: Rate) -> Row:
        return {
            "id": str(rate.id),
            "fromCurrencyCode": rate.source,
            "toCurrencyCode": rate.target,
            "conversionRate": rate.rate,
            "effectiveAt": iso(rate.since_ms),
            "visibleInUI": True,
            **self._stamps(rate.since_ms),
        }

    def _stamps(self, at_ms: int) -> Row:
        return {"createdAt": iso(at_ms), "updatedAt": iso(at_ms)}


class Splits:
    """Handlers of deal splits."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def read(self, request: Request, version: str) -> Reply:
        """The splits of up to 100 deals; a deal without any has an empty list."""
        started = self.portal.now_ms()
        body = read_body(request, "BatchInputPublicObjectId")
        if len(body["inputs"]) > _MOST:
            raise too_many_inputs(_MOST)
        deals = self.portal.store.tables["deals"]
        results, missing = [], []
        for one in body["inputs"]:
            deal = deals.find(one["id"])
            if deal is None:
                missing.append(one["id"])
                continue
            results.append(self._model(deal.id))
        errors = [rows_not_found("deal", missing)] if missing else []
        status = 207 if errors and version != "2026-09" else 200
        return Reply(status, batch_reply(results, errors, started, self.portal.now_ms()))

    def upsert(self, request: Request) -> Reply:
        """Puts a deal's splits in place of those it had: they sum to 1, its owner is among them."""
        started = self.portal.now_ms()
        body = read_body(request, "PublicDealSplitsBatchCreateRequest")
        deals = self.portal.store.tables["deals"]
        for one in body["inputs"]:
            deal = deals.find(str(one["id"]))
            if deal is None:
                raise not_found()
            if sum(Decimal(str(split["percentage"])) for split in one["splits"]) != 1:
                raise invalid("The split percentages of a deal must sum to 1.0")
            if deal.props.get("hubspot_owner_id") not in {str(split["ownerId"]) for split in one["splits"]}:
                raise invalid("The owner of the deal must be among its split owners")
        for one in body["inputs"]:
            self.portal.splits[one["id"]] = [
                Split(self.portal.new_id(), split["ownerId"], str(split["percentage"]), started)
                for split in one["splits"]
            ]
        results = [self._model(one["id"]) for one in body["inputs"]]
        return Reply(body=batch_reply(results, [], started, self.portal.now_ms()))

    def _model(self, deal_id: int) -> Row:
        splits = [
            {
                "id": str(one.id),
                "properties": {"hs_deal_split_percentage": one.percentage, "hubspot_owner_id": str(one.owner_id)},
                "createdAt": iso(one.created_ms),
                "updatedAt": iso(one.created_ms),
                "archived": False,
            }
            for one in self.portal.splits.get(deal_id, [])
        ]
        return {"id": str(deal_id), "splits": splits}
