"""Private keys and secrets at rest: sealed with AES-256-GCM under a key derived from the operator's secret."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SIGNING_KEYS: Final = "signing keys"
WEBHOOK_SECRETS: Final = "webhook secrets"
"""What is sealed: each has a key of its own."""
_NONCE_BYTES: Final = 12


class WrongSecret(Exception):
    """What was sealed was sealed with another secret or under another name, or has been altered."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens texts with `secret` (HKDF, RFC 5869; AES-256-GCM, NIST SP 800-38D)."""

    cipher: AESGCM

    @classmethod
    def of(cls, secret: str, purpose: str = SIGNING_KEYS) -> Seal:
        """Return the seal of a secret for one purpose."""
        info = f"customer-gateway {purpose}".encode()
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
        return cls(AESGCM(derived))

    def close(self, text: bytes, name: str) -> bytes:
        """Return a text sealed, so that it opens under the same name alone."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self.cipher.encrypt(nonce, text, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Return the text; raises `WrongSecret`."""
        try:
            return self.cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise WrongSecret from error
