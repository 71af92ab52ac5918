"""Abacus, the made-up CRM of the tutorial: its interface is described in docs/tutorial/connector.md."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from connectors.auth import StaticToken
from connectors.base import (
    Can,
    Connector,
    FieldSpec,
    Finding,
    Page,
    Provisioned,
    Raw,
    Recovery,
    Rejection,
    Stream,
    Value,
    Window,
    Write,
    WriteTarget,
    Written,
)
from connectors.errors import ForbiddenError, MissingFieldsError
from connectors.http import Fault, Manners, plain_fault
from connectors.mapping import remote_fields
from connectors.settings import ConnectionSettings, SecretRef, SignIn

PAGE_ROWS = 200
RECOVERIES: dict[str, Recovery] = {"gone": "gone", "locked": "retry"}
TYPES = {"number": "number", "text": "text", "long_text": "text", "datetime": "moment", "date": "date"}


def fault(response: Any) -> Fault | None:
    """Abacus says 403 both for a missing right and, with the code ``day_spent``, when the day's calls are spent."""
    found = plain_fault(response)
    if found is not None and found.code == "day_spent":
        return Fault("allowance", found.code, found.text)
    if found is not None and found.code == "token_withdrawn":
        return Fault("sign_in", found.code, found.text)
    return found


class AbacusSignIn(SignIn):
    """``sign_in`` of an Abacus connection."""

    token: SecretRef


class AbacusSettings(ConnectionSettings):
    """An Abacus connection file."""

    sign_in: AbacusSignIn


_KEPT = {"remote_id": "id", "modified_at": "changed_at", "deleted": "gone"}


class Abacus(Connector):
    """Reads people, companies, stages and deals; writes fields of deals."""

    kind = "abacus"
    can = Can.PULL | Can.PULL_CHANGES | Can.WRITE_FIELDS | Can.PROVISION
    settings = AbacusSettings
    auth = StaticToken()
    manners = Manners(fault=fault, buckets={"general": (50, 1.0)}, clock_path="/api/ping")
    page_rows = PAGE_ROWS
    write_batch = 50
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream(
            "stage",
            "stages",
            fields={
                "remote_id": "id", "pipeline": "board", "stage": "id", "label": "title", "position": "place",
                "outcome": "means", "probability": "chance",
            },
            schedule="metadata",
        ),
        Stream("person", "people", fields={**_KEPT, "name": "name", "email": "email", "active": "active", "team": "team"}),
        Stream("account", "companies", fields={**_KEPT, "name": "name", "owner_id": "owner", "industry": "trade"}),
        Stream(
            "opportunity",
            "deals",
            fields={
                **_KEPT, "name": "title", "account_id": "company", "owner_id": "owner", "pipeline": "board",
                "stage": "stage", "amount": "value", "currency": "currency", "created_at": "made_at", "close_on": "due",
                "closed_at": "closed_at", "next_step": "next",
            },
        ),
    )  # fmt: skip

    @cached_property
    def _fields(self) -> dict[str, dict[str, str]]:
        """Names and labels of the fields of each object, asked once."""
        return {}

    def _known(self, remote: str) -> dict[str, str]:
        if remote not in self._fields:
            rows = self.http.get(f"/api/fields/{remote}")["rows"]
            self._fields[remote] = {row["name"]: row["title"] for row in rows}
        return self._fields[remote]

    def remote_names(self, stream: Stream) -> Mapping[str, str]:
        """Fields of the object."""
        return self._known(stream.remote)

    def check(self) -> Iterator[Finding]:
        """Sign-in, then the rights and mapped fields of each stream."""
        self.http.get("/api/ping")
        yield Finding("ok", "sign_in", "Abacus takes the token")
        for stream in self.streams:
            if self.connection.stream(stream.name) is None:
                continue
            try:
                known = self._known(stream.remote)
            except ForbiddenError as error:
                yield Finding("error", stream.name, str(error), "give the token the right to read it")
                continue
            missing = sorted(set(remote_fields(stream, self.connection)) - known.keys())
            if missing:
                yield Finding("error", stream.name, f"not in Abacus: {', '.join(missing)}", "correct `fields`")
            else:
                yield Finding("ok", stream.name, f"{stream.remote} can be read")

    def count(self, stream: Stream) -> int:
        """By asking for no rows."""
        return int(self.http.get(f"/api/{stream.remote}", params={"limit": 0})["total"])

    def pull(self, stream: Stream, window: Window, resume: str | None) -> Iterator[Page]:
        """Pages by moment of change, then id. Abacus keeps deleted rows for good and marks them ``gone``."""
        params = {"limit": str(PAGE_ROWS), "changed_before": _moment(window.end)}
        if window.start is not None:
            params["changed_from"] = _moment(window.start)
        while True:
            answer = self.http.get(f"/api/{stream.remote}", params=params | ({"after": resume} if resume else {}))
            rows, resume = answer["rows"], answer["next"]
            self._expect_fields(stream, rows)
            yield Page([Raw(stream, row) for row in rows], resume)
            if resume is None:
                return

    def _expect_fields(self, stream: Stream, rows: Sequence[Mapping[str, Any]]) -> None:
        """Every row of Abacus names every field, null where it is empty: one that is not named does not exist."""
        missing = sorted(set(remote_fields(stream, self.connection)) - rows[0].keys()) if rows else []
        if missing:
            raise MissingFieldsError(
                f"{self.connection.name}: {stream.remote} of Abacus has no {', '.join(missing)}: correct "
                f"fields.{stream.name} in the connection file; the other streams are read"
            )

    def ids(self, stream: Stream) -> Iterator[Sequence[str]]:
        """Id-only pages."""
        after: str | None = None
        while True:
            params = {"limit": "1000", "only": "id"} | ({"after": after} if after else {})
            answer = self.http.get(f"/api/{stream.remote}", params=params)
            yield [row["id"] for row in answer["rows"]]
            after = answer["next"]
            if after is None:
                return

    def write(self, target: WriteTarget, writes: Sequence[Write]) -> Iterator[Written]:
        """One call for up to 50 deals; Abacus answers for each."""
        rows = [{"id": one.remote_id, "fields": {name: _remote(v) for name, v in one.fields.items()}} for one in writes]
        for verdict in self.http.patch("/api/deals", json={"rows": rows})["rows"]:
            if verdict["ok"]:
                yield Written(verdict["id"])
            else:
                recovery = RECOVERIES.get(verdict["code"], "park")
                yield Written(verdict["id"], Rejection(verdict["code"], verdict["message"], recovery))

    def read_fields(
        self, target: WriteTarget, ids: Sequence[str], names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Value]]:
        """What Abacus holds now; one answer holds ``PAGE_ROWS`` deals."""
        found: dict[str, Mapping[str, Value]] = {}
        for start in range(0, len(ids), PAGE_ROWS):
            part = ids[start : start + PAGE_ROWS]
            rows = self.http.get("/api/deals", params={"ids": ",".join(part), "limit": len(part)})["rows"]
            found |= {row["id"]: {name: _ours(row.get(name)) for name in names} for row in rows if not row["gone"]}
        return found

    def provision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Makes the fields that deals lack."""
        for spec in wanted:
            if spec.name in self._known("deals"):
                yield Provisioned(spec.name, "exists")
            elif dry_run:
                yield Provisioned(spec.name, "missing")
            else:
                self.http.post(
                    "/api/fields/deals", json={"name": spec.name, "title": spec.label, "type": TYPES[spec.type]}
                )
                yield Provisioned(spec.name, "created")
        self._fields.pop("deals", None)

    def unprovision(self, wanted: Sequence[FieldSpec], *, dry_run: bool) -> Iterator[Provisioned]:
        """Takes our fields away, with what is in them."""
        for spec in wanted:
            if spec.name not in self._known("deals"):
                yield Provisioned(spec.name, "missing")
            elif dry_run:
                yield Provisioned(spec.name, "exists")
            else:
                self.http.delete(f"/api/fields/deals/{spec.name}")
                yield Provisioned(spec.name, "removed")
        self._fields.pop("deals", None)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _remote(value: Value) -> object:
    return _moment(value) if isinstance(value, datetime) else value


def _ours(value: object) -> Value:
    """Ours for Abacus' value: numbers are numbers, moments are text that ends in Z, the rest is text."""
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    text = str(value or "")
    if text.endswith("Z") and text[10:11] == "T":
        return datetime.fromisoformat(text)
    return text or None
