"""Digests: whether a record has changed, and names that stand for what must stay outside."""

from collections.abc import Collection
from hashlib import blake2b

from connectors.records import Record

_STAMP = {"modified_at"}


def content_hash(record: Record, without: Collection[str] = ()) -> str:
    """Digest of a record's business content (32 hex digits): all but ``modified_at``, ``without`` and what is unknown.

    Equal content has equal hashes however the CRM spelled it, and a field that is new to us changes no old hash.
    """
    left_out = {"modified_at", *without} if without else _STAMP
    content = record.__pydantic_serializer__.to_json(record, exclude=left_out, exclude_none=True)
    return blake2b(content, digest_size=16).hexdigest()


def keyed_hash(key: bytes, text: str) -> str:
    """A name that stands for ``text`` in one store and tells nobody what it was (BLAKE2b-128 under the store's key).

    Addresses are compared without case; CRM ids keep theirs, for in some CRMs it matters.
    """
    text = text.strip()
    return blake2b((text.casefold() if "@" in text else text).encode(), digest_size=16, key=key).hexdigest()
