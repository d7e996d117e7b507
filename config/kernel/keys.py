"""Signing keys: from the environment, or on a developer's machine generated once into a private file."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEY_LENGTHS = {
    "SECRET_KEY": 50,
    "EVALUATION_KEY": 32,
    "IDENTIFICATION_KEY": 32,
    "DEVICE_KEY": 32,
    "VOUCHER_CODE_KEY": 32,
    "VOUCHER_LOOKUP_KEY": 32,
    "VOUCHER_POOL_KEY": 32,
}
"""Every key of the installation, with the fewest characters it may have."""

_PLACEHOLDERS = ("django-insecure", "changeme", "change-me", "change_me", "secret-key", "example", "default")
_MIN_DISTINCT_CHARACTERS = 10


def signing_keys(
    lengths: Mapping[str, int], environment: Mapping[str, str], generate_into: Path | None
) -> dict[str, str]:
    """The named keys, each at least so many characters long, checked.

    Keys missing from `environment` come from the file `generate_into`, which is made or extended when it
    lacks one; with None they are required. Raises ImproperlyConfigured for a key that is missing, short,
    a well-known placeholder, made of few different characters, or equal to another.
    """
    keys = {name: environment[name] for name in lengths if environment.get(name)}
    missing = [name for name in lengths if name not in keys]
    if missing and generate_into is None:
        raise ImproperlyConfigured(f"Set {', '.join(missing)}: generated keys are for DEBUG=true only.")
    if missing and generate_into is not None:
        keys |= _generated(missing, generate_into)
    _refuse_weak(keys, lengths)
    return keys


def check_old_keys(keys: Sequence[str], length: int = 32) -> None:
    """ImproperlyConfigured unless all keys, those of before too, are strong and differ."""
    named = {f"key {number} of VOUCHER_*_KEY and VOUCHER_*_KEYS_OLD": key for number, key in enumerate(keys)}
    _refuse_weak(named, dict.fromkeys(named, length))


def _refuse_weak(keys: Mapping[str, str], lengths: Mapping[str, int]) -> None:
    for name, key in keys.items():
        if len(key) < lengths[name]:
            raise ImproperlyConfigured(f"{name} must have at least {lengths[name]} characters.")
        if any(word in key.lower() for word in _PLACEHOLDERS):
            raise ImproperlyConfigured(f"{name} is a placeholder; generate one of your own.")
        if len(set(key)) < _MIN_DISTINCT_CHARACTERS:
            raise ImproperlyConfigured(f"{name} repeats too few characters; generate a random one.")
    if len(set(keys.values())) < len(keys):
        raise ImproperlyConfigured(f"{', '.join(keys)} must all differ: one leaked key must open one door.")


def _generated(names: list[str], path: Path) -> dict[str, str]:
    known = _read(path)
    while not set(names) <= set(known):
        _write(path, {name: secrets.token_urlsafe(48) for name in names} | known, is_new=not known)
        known = _read(path)
    return {name: known[name] for name in names}


def _read(path: Path) -> dict[str, str]:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(path: Path, keys: Mapping[str, str], *, is_new: bool) -> None:
    """All at once and mode 0600; of several first starts at the same time one wins and all read its keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(dict(keys), file)
    try:
        if is_new:
            os.link(draft, path)
        else:
            os.replace(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
