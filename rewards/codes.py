"""Voucher codes: derived of a voucher's id or opened from a pool, and found again without being stored.

A derived code is the first 80 bits of HMAC-SHA256(VOUCHER_CODE_KEY, programme and voucher id) in Crockford's
base32 (https://www.crockford.com/base32.html): 16 characters, and his check symbol (the number modulo 37).
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
LENGTH = 16
_BITS = 80
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
_NONCE = 12


class KeyGone(Exception):
    """The key something was derived or encrypted under is no longer configured."""


def key_id(key: str) -> str:
    """Eight characters that tell keys apart and say nothing about them."""
    return hashlib.sha256(b"voucher key:" + key.encode()).hexdigest()[:8]


def current_key_id() -> str:
    """The id of the key that new codes are derived under."""
    return key_id(settings.VOUCHER_CODE_KEYS[0])


def derived(programme_id: int, voucher_id: UUID, under: str) -> str:
    """The code of a voucher, derived under the key of that id; KeyGone when it is not configured."""
    key = _key(settings.VOUCHER_CODE_KEYS, under)
    digest = hmac.digest(key.encode(), f"voucher:{programme_id}:{voucher_id}".encode(), "sha256")
    number = int.from_bytes(digest) >> (len(digest) * 8 - _BITS)
    symbols = (SYMBOLS[number >> shift & 31] for shift in range(_BITS - 5, -1, -5))
    return "".join(symbols) + SYMBOLS[number % 37]


def grouped(code: str) -> str:
    """A derived code as it is read and typed: in fours, the check symbol with the last; others as they are."""
    if len(code) != LENGTH + 1:
        return code
    return "-".join((code[:4], code[4:8], code[8:12], code[12:]))


def plain(text: str) -> str:
    """A typed code without what people add or mistake: case, spaces and hyphens, O for 0, I and L for 1."""
    return text.upper().translate(_READ_AS)


def lookup(programme_id: int, text: str) -> bytes:
    """What a code is remembered by: an HMAC that says nothing without the key."""
    return _lookup(settings.VOUCHER_LOOKUP_KEYS[0], programme_id, text)


def lookups(programme_id: int, text: str) -> list[bytes]:
    """What a code may be remembered by, under every key that was ever used."""
    return [_lookup(key, programme_id, text) for key in settings.VOUCHER_LOOKUP_KEYS]


def _lookup(key: str, programme_id: int, text: str) -> bytes:
    return hmac.digest(key.encode(), f"lookup:{programme_id}:{plain(text)}".encode(), "sha256")


def sealed(programme_id: int, code: str) -> tuple[bytes, str]:
    """An uploaded code encrypted (AES-256-GCM, bound to the programme), and the id of the key."""
    key = settings.VOUCHER_POOL_KEYS[0]
    nonce = secrets.token_bytes(_NONCE)
    return nonce + _cipher(key).encrypt(nonce, code.encode(), str(programme_id).encode()), key_id(key)


def opened(programme_id: int, box: bytes, under: str) -> str:
    """The uploaded code; KeyGone when its key is not configured or it is not what was sealed."""
    cipher = _cipher(_key(settings.VOUCHER_POOL_KEYS, under))
    try:
        return cipher.decrypt(box[:_NONCE], box[_NONCE:], str(programme_id).encode()).decode()
    except InvalidTag as error:
        raise KeyGone(under) from error


def _cipher(key: str) -> AESGCM:
    return AESGCM(hashlib.sha256(b"voucher pool:" + key.encode()).digest())


def _key(keys: Sequence[str], under: str) -> str:
    for key in keys:
        if key_id(key) == under:
            return key
    raise KeyGone(under)
