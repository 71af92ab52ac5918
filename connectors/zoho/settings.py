"""What a connection file of kind ``zoho`` may say beyond the common keys, and Zoho's data centres."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from connectors.own_streams import KINDS
from connectors.settings import ConnectionSettings, SecretRef, SignIn, Url


@dataclass(frozen=True, slots=True)
class DataCentre:
    """The hosts of one data centre: a refresh token works at its own accounts host only."""

    accounts: str
    api: str
    upload: str


DATA_CENTRES = (
    DataCentre("accounts.zoho.com", "zohoapis.com", "content.zohoapis.com"),
    DataCentre("accounts.zoho.eu", "zohoapis.eu", "content.zohoapis.eu"),
    DataCentre("accounts.zoho.in", "zohoapis.in", "content.zohoapis.in"),
    DataCentre("accounts.zoho.com.au", "zohoapis.com.au", "content.zohoapis.com.au"),
    DataCentre("accounts.zoho.com.cn", "zohoapis.com.cn", "content.zohoapis.com.cn"),
    DataCentre("accounts.zoho.jp", "zohoapis.jp", "content.zohoapis.jp"),
    DataCentre("accounts.zohocloud.ca", "zohoapis.ca", "upload.zohocloud.ca"),
    DataCentre("accounts.zoho.sa", "zohoapis.sa", "files.zoho.sa"),
)
"""By Zoho's own SDKs. Canada and Saudi Arabia show that no host can be made from another by its suffix."""

OWN_KINDS = (*KINDS, "target", "split")
"""Records for which Zoho has no standard home: a module of the org's own may hold them."""

COSTLY = ("email", "timeline")
"""Streams that take a call per deal: off unless the file says on."""


def data_centre(url: str) -> DataCentre | None:
    """The data centre of an API host (production, sandbox or developer); None for a server that is not Zoho's."""
    host = urlsplit(url).hostname or ""
    return next((one for one in DATA_CENTRES if host.partition(".")[2] == one.api), None)


class ZohoSignIn(SignIn):
    """A self client with its refresh token. ``host`` follows from ``base_url`` for Zoho's own data centres."""

    client_id: SecretRef
    client_secret: SecretRef
    refresh_token: SecretRef


class ZohoSettings(ConnectionSettings):
    """One Zoho CRM org."""

    object_names: ClassVar[re.Pattern[str]] = re.compile(r"\w+")
    own_objects: ClassVar[frozenset[str]] = frozenset(OWN_KINDS)

    base_url: Url
    sign_in: ZohoSignIn
    api_version: str = Field(default="v8", pattern=r"^v[678]$")
    bulk_write: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Bulk Write for more than 5,100 scores at once; auto: only where `automation` is on, "
        "for Zoho does not say whether workflows run for it",
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        streams = value.get("streams") or {}
        if isinstance(streams, dict):
            value = {**value, "streams": {**dict.fromkeys(COSTLY, "off"), **streams}}
        sign_in, url = value.get("sign_in"), value.get("base_url")
        centre = data_centre(url) if isinstance(url, str) else None
        if centre is not None and isinstance(sign_in, dict):
            value["sign_in"] = {"host": f"https://{centre.accounts}", **sign_in}
        return value

    @model_validator(mode="after")
    def _same_centre(self) -> "ZohoSettings":
        centre, host = data_centre(self.base_url), urlsplit(self.sign_in.host or "").hostname
        if centre is not None and host != centre.accounts and any(one.accounts == host for one in DATA_CENTRES):
            message = f"sign_in.host {host} is of another data centre than base_url: write https://{centre.accounts}"
            raise ValueError(message)
        return self

    @property
    def upload_url(self) -> str:
        """Where files for Bulk Write go: the token's answer does not tell it."""
        centre = data_centre(self.base_url)
        return self.base_url if centre is None else f"https://{centre.upload}"

    def sibling(self, url: str) -> str | None:
        """The address of the host of a URL, where it is another one of this data centre, and as safe as ours.

        Results of Bulk Write are on a host of its own (``download-accl.zoho.eu``), for which no list exists.
        """
        parts, ours, centre = urlsplit(url), urlsplit(self.base_url), data_centre(self.base_url)
        host = parts.hostname or ""
        if not host or parts.netloc == ours.netloc or parts.scheme != ours.scheme:
            return None
        domains = () if centre is None else (centre.api, centre.accounts.partition(".")[2])
        alike = any(host.endswith(f".{domain}") for domain in domains)
        return f"{parts.scheme}://{parts.netloc}" if alike else None

    @property
    def writes_in_bulk(self) -> bool:
        """Whether Bulk Write may be used at all."""
        return self.bulk_write == "on" or (self.bulk_write == "auto" and self.automation == "on")
