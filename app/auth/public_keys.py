"""An issuer's public keys: which are taken, and which algorithms they are good for.

Source: RFC 7517 (JSON Web Key), RFC 7518 sections 3.3 and 3.4, RFC 8037, RFC 8725 section 3.5.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import DictKey, ECKey, Key, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from app.auth.discovery import Unreadable
from app.http.body import parse_json
from resolvers.problem import JsonValue, Problem

MAX_KEYS: Final = 64
"""How many keys of one set are looked at."""
_KINDS = ("RSA", "EC", "OKP")
_RSA_BITS = range(2048, 8192 + 1)
_SECRET = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of private and symmetric keys. Who publishes such a key no longer has a key."""
_UNUSABLE = (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, IndexError)
"""What joserfc and cryptography raise for a JWK that is none."""

KeyMap = Mapping[str | None, Sequence[Key]]
"""Keys by their `kid`; several may have the same."""


def from_jwk(jwk: JsonValue) -> Key | None:
    """Return a key that verifies signatures, or None for anything else.

    Else is: a key with private or symmetric material, a weak one, one for another use, one not understood.
    """
    if not isinstance(jwk, dict) or jwk.get("kty") not in _KINDS or jwk.get("use", "sig") != "sig":
        return None
    if _SECRET & jwk.keys():
        return None
    try:
        if jwk["kty"] == "RSA" and _bits(str(jwk["n"])) not in _RSA_BITS:
            return None
        key = import_key(cast("DictKey", jwk))
        key.check_key_op("verify")
    except _UNUSABLE:
        return None
    return key


def _bits(modulus: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(modulus + "=="), "big").bit_length()


def from_text(text: str) -> Key:
    """Return the key of a setting: a public key as PEM or as JWK; raises ValueError for anything else."""
    try:
        key = from_jwk(parse_json(text.encode()) if text.lstrip().startswith("{") else _from_pem(text))
    except (Problem, *_UNUSABLE) as error:
        raise ValueError("neither a public key in PEM nor a JWK") from error
    if key is None:
        raise ValueError("not a public key for signatures, or RSA with less than 2048 bits")
    return key


def _from_pem(text: str) -> JsonValue:
    key: Key
    match load_pem_public_key(text.encode()):
        case RSAPublicKey() as raw:
            key = RSAKey(raw, raw)
        case EllipticCurvePublicKey() as raw:
            key = ECKey(raw, raw)
        case Ed25519PublicKey() | Ed448PublicKey() as raw:
            key = OKPKey(raw, raw)
        case _:
            return None
    return cast("JsonValue", key.as_dict(private=False))


def key_map(document: JsonValue) -> KeyMap:
    """Return the usable keys of a JWKS (RFC 7517 section 5); raises Unreadable where it is none."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise Unreadable("no JWKS")
    found: dict[str | None, list[Key]] = {}
    for jwk in listed[:MAX_KEYS]:
        if (key := from_jwk(jwk)) is not None:
            found.setdefault(key.kid, []).append(key)
    return found


def suits(key: Key, algorithm: str) -> bool:
    """Tell whether a key is of the type and curve of an algorithm, and meant for it."""
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    return True
