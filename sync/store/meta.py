"""Facts about the store itself that others need."""

import secrets

from sync.store.engine import Store
from sync.store.state import get_meta, set_meta

_KEY = "hash_key"


def hash_key(store: Store) -> bytes:
    """The store's own key for hashing contacts and subjects: 32 random bytes, made once."""
    with store.reading() as tx:
        known = get_meta(tx, _KEY)
    if known is None:
        with store.writing(durable=True) as tx:
            known = get_meta(tx, _KEY)
            if known is None:
                known = secrets.token_hex(32)
                set_meta(tx, _KEY, known)
    return bytes.fromhex(known)
