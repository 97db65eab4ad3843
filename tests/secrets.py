"""Secrets that are wrong, and nearly right."""

from __future__ import annotations

from storage.keys import PREFIX, _check_digits, new_secret, well_formed


def like(key: str, prefix: str = PREFIX) -> str:
    """Return another key of good form, the first half of which is that of this one."""
    half = len(key) // 2
    body = key[:half] + new_secret(prefix)[half:-6]
    made = body + _check_digits(body)
    assert well_formed(made, prefix)
    return made
