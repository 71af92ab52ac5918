"""Record ids: 15 case-sensitive characters and three that make them safe where case is lost."""

import hashlib
import re
from functools import lru_cache

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
_WIDTH = 9


_UPPER = {char: int("A" <= char <= "Z") for char in _DIGITS}
_PAIRS = [one + other for one in _DIGITS for other in _DIGITS]


def checksum(short: str) -> str:
    """The three characters that turn a 15-character id into 18: one bit per upper-case letter, five letters each."""
    bits = [_UPPER[char] for char in short]
    return "".join(
        _CHECK[one | two << 1 | three << 2 | four << 3 | five << 4]
        for one, two, three, four, five in (bits[:5], bits[5:10], bits[10:])
    )


def to_18(text: str) -> str | None:
    """The 18-character form of an id of 15 or 18 characters; None if it is no id."""
    if not _ID.fullmatch(text):
        return None
    short = text[:15]
    return short + checksum(short) if len(text) == 15 else text


def base62(number: int) -> str:
    """The number in nine digits of base 62."""
    high, number = divmod(number, 62**8)
    digits = _DIGITS[high]
    for power in (62**6, 62**4, 62**2, 1):
        pair, number = divmod(number, power)
        digits += _PAIRS[pair]
    return digits


def new_id(prefix: str, number: int) -> str:
    """The id of the ``number``-th record that was made while the emulator ran."""
    short = f"{prefix}Sb1{base62(number)}"
    return short + checksum(short)


@lru_cache(maxsize=100_000)  # owners and accounts come again and again
def world_id(prefix: str, text: str) -> str:
    """The id of a record of the world: its own if it is one of this object, else made from its text alone.

    Decimal texts up to 62**9 never collide; others are hashed to 53 bits.
    """
    if text[:3] == prefix and (known := to_18(text)) == text[:15] + checksum(text[:15]) and known is not None:
        return known
    if text.isdecimal() and text.isascii() and not text.startswith("0") and int(text) < 62**_WIDTH:
        short = f"{prefix}Sb0{base62(int(text))}"
    else:
        digest = hashlib.sha256(text.encode()).digest()
        short = f"{prefix}SbX{base62(int.from_bytes(digest[:8]) % 62**_WIDTH)}"
    return short + checksum(short)
