"""Dataverse's refusals: HTTP status, platform error code, and the text around it (vendor page 1.3, 4, 6.3)."""

from connectors.sandbox.routing import Reply

BAD_QUERY = "0x80060888"
"""What the OData layer answers to a request that it cannot read (code as seen in the field)."""
BAD_PAYLOAD = "0x80048d19"
"""What the OData layer answers to a body that it cannot read (code as seen in the field)."""
NOT_FOUND = "0x80040217"


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A request that Dataverse refuses."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def reply(self, *, verbose: bool = False) -> Reply:
        """The answer; ``verbose`` adds the annotations of ``odata.include-annotations="*"``."""
        error = {"code": self.code, "message": self.message}
        if verbose:
            error |= {
                "@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus": "0",
                "@Microsoft.PowerApps.CDS.HelpLink": f"http://go.microsoft.com/fwlink/?LinkID=398563&error={self.code}",
                "@Microsoft.PowerApps.CDS.TraceText": "",
            }
        return Reply(self.status, {"error": error}, dict(self.headers))


def bad_query(message: str) -> Refusal:
    """400 for a query option or path that cannot be read."""
    return Refusal(400, BAD_QUERY, message)


def bad_payload(set_name: str, message: str) -> Refusal:
    """400 for a body that does not fit its table."""
    text = f"Error identified in Payload provided by the user for Entity :'{set_name}', InnerException : {message}"
    return Refusal(400, BAD_PAYLOAD, text)


def no_property(name: str, table: str) -> Refusal:
    """400 for a column that a query names and the table lacks."""
    return Refusal(
        400, "0x80041103", f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    )


def no_segment(name: str) -> Refusal:
    """404 for a table that is not installed."""
    return Refusal(404, "0x8006088a", f"Resource not found for the segment '{name}'.")


def no_row(table: str, row_id: str) -> Refusal:
    """404 for a row that is not there."""
    return Refusal(404, NOT_FOUND, f"{table} With Id = {row_id} Does Not Exist")


def no_rows(table: str, row_ids: list[str]) -> Refusal:
    """404 for rows of a bulk message that are not there."""
    return Refusal(404, NOT_FOUND, f"{table} With Ids = {', '.join(row_ids)} Do Not Exist")


def stale() -> Refusal:
    """412 for a stale ETag."""
    text = "The version of the existing record doesn't match the RowVersion property provided."
    return Refusal(412, "0x80060882", text)


def invalid(message: str) -> Refusal:
    """400 for a bad argument."""
    return Refusal(400, "0x80040203", message)


def denied(privilege: str, table: str) -> Refusal:
    """403 for a missing privilege, which the text names."""
    text = (
        f"Principal user is missing {privilege} privilege (Id=00000000-0000-0000-0000-000000000000) on OTC=3 "
        f"for entity '{table}'."
    )
    return Refusal(403, "0x80040220", text)
