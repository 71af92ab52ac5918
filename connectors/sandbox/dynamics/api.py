"""From path to answer: which part of the Web API a call means."""

from collections.abc import Callable, Sequence

from connectors.sandbox.dynamics.batch import Batch
from connectors.sandbox.dynamics.changes import Changing
from connectors.sandbox.dynamics.edmx import edmx
from connectors.sandbox.dynamics.errors import Refusal, bad_query, denied, no_segment
from connectors.sandbox.dynamics.faults import RowFaults
from connectors.sandbox.dynamics.functions import Functions
from connectors.sandbox.dynamics.metadata import Metadata
from connectors.sandbox.dynamics.path import set_of, split_segment
from connectors.sandbox.dynamics.provision import Provision
from connectors.sandbox.dynamics.reads import Reads
from connectors.sandbox.dynamics.render import Preferences
from connectors.sandbox.dynamics.schema import TableType
from connectors.sandbox.dynamics.writes import Writer
from connectors.sandbox.faults import Faults
from connectors.sandbox.routing import Reply, Request

_NAMESPACE = "Microsoft.Dynamics.CRM."


class Api:
    """The Web API of one environment."""

    def __init__(self, reads: Reads, writer: Writer, row_faults: RowFaults, faults: Faults) -> None:
        self.reads = reads
        self.org = reads.org
        self.faults = faults
        self.changing = Changing(reads, writer, row_faults)
        self.functions = Functions(reads, writer)
        self.metadata = Metadata(self.org)
        self.provision = Provision(self.org, self.metadata, faults)
        self.batch = Batch(self.answer, self.org, row_faults)

    def answer(self, request: Request, root: str, parts: Sequence[str], prefer: Preferences) -> Reply:
        """The answer to a call below the service root. Refusal: what Dataverse refuses."""
        self._check_request(request, parts)
        if not parts:
            sets = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(self.org.sets)]
            return Reply(200, {"@odata.context": f"{root}/$metadata", "value": sets})
        name, key = split_segment(parts[0])
        special = self._special(name)
        if special is not None:
            return special(request, root, parts, prefer)
        found = self.functions.find(request.method, name)
        if found is not None:
            return found(request, root, key)
        table = set_of(self.org, name)
        if key is None:
            return self._collection(request, root, table, parts[1:], prefer)
        return self._row(request, root, table, key, parts[1:], prefer)

    def _check_request(self, request: Request, parts: Sequence[str]) -> None:
        """Refuses a body of another kind, and what a fault makes unknown."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.body and list(parts) != ["$batch"] and kind != "application/json":
            text = (
                "A supported MIME type could not be found that matches the content type of the request. None of the "
                f"supported type(s) 'application/json' matches the content type '{kind}'."
            )
            raise Refusal(415, "0x80060888", text)
        if f"{_NAMESPACE}In(" in (request.first("$filter", "") or "") and self.faults.strike("no_in", request.where):
            raise bad_query(f"An unknown function with name '{_NAMESPACE}In' was found. ")

    def _special(self, name: str) -> Callable[[Request, str, Sequence[str], Preferences], Reply] | None:
        return {"$batch": self._batch, "$metadata": self._edmx, "EntityDefinitions": self._definitions}.get(name)

    def _batch(self, request: Request, root: str, parts: Sequence[str], prefer: Preferences) -> Reply:
        return self.batch.answer(request, root, prefer)

    def _edmx(self, request: Request, root: str, parts: Sequence[str], prefer: Preferences) -> Reply:
        return Reply(200, edmx(self.org), {"Content-Type": "application/xml"})

    def _definitions(self, request: Request, root: str, parts: Sequence[str], prefer: Preferences) -> Reply:
        if "prvReadEntity" in self.reads.lacking:
            raise denied("prvReadEntity", "entity")
        if request.method == "GET":
            return self.metadata.read(request, root, parts)
        return self.provision.write(request, root, parts)

    def _collection(
        self, request: Request, root: str, table: TableType, rest: Sequence[str], prefer: Preferences
    ) -> Reply:
        if not rest and request.method == "GET":
            return self.reads.collection(request, root, table, prefer)
        if not rest and request.method == "POST":
            return self.changing.create(request, root, table, prefer)
        if list(rest) == ["$count"] and request.method == "GET":
            return self.reads.count(request, table)
        if len(rest) == 1 and rest[0].startswith(_NAMESPACE) and request.method == "POST":
            return self.changing.multiple(request, table, rest[0].removeprefix(_NAMESPACE))
        if rest:
            raise no_segment(rest[0])
        raise Refusal(405, "0x80060888", f"The requested resource does not support http method '{request.method}'.")

    def _row(
        self, request: Request, root: str, table: TableType, key: str, rest: Sequence[str], prefer: Preferences
    ) -> Reply:
        if rest and rest[0].startswith(_NAMESPACE):
            return self.functions.bound(request, root, table, key, rest[0].removeprefix(_NAMESPACE))
        if request.method == "GET":
            if rest:
                return self.reads.below(request, root, table, key, rest, prefer)
            return self.reads.single(request, root, table, key, prefer)
        if rest:
            return self.changing.below(request, table, key, rest)
        if request.method == "PATCH":
            return self.changing.patch(request, root, table, key, prefer)
        if request.method == "DELETE":
            return self.changing.delete(request, table, key)
        raise Refusal(405, "0x80060888", f"The requested resource does not support http method '{request.method}'.")
