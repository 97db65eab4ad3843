"""The table of bad tokens: each by its name, with the reason for which it is to be refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwe
from joserfc.jwk import Key, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from app.auth.tokens import MAX_TOKEN
from tests.app.auth.issuer import AUDIENCE, JWKS, b64, hmac, make_key, sign

KIDS = ("rsa", "p256", "p384", "p521", "ed25519", "ed448")
"""The keys that the issuer under attack has published."""
NAME = "https://issuer.example"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ABSENT = object()
"""Stands for a member that is taken out."""
_P256_ORDER = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass
class Build:
    """A good token of an issuer, to be spoilt; `trap` is an address that nobody may call."""

    issuer: str = NAME
    now: int = SECONDS
    trap: str = "http://127.0.0.1:9"
    algorithm: str = "RS256"
    kid: str = "rsa"
    header: dict[str, Any] = field(init=False)
    claims: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.header = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid}
        times = {"iat": self.now, "exp": self.now + 300}
        self.claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": "user-1", "scope": "customers:read", **times}

    def by(self, algorithm: str, kid: str) -> Build:
        """Return another one, to be signed so."""
        return Build(self.issuer, self.now, self.trap, algorithm, kid)

    def signed(self, key: Key | None = None) -> str:
        """Return the token, signed by its own key or by another."""
        return sign(self.header, self.claims, key or make_key(self.kid), self.algorithm)

    def with_header(self, **changes: Any) -> str:
        """Return the token with another header, well signed."""
        self.header = _changed(self.header, changes)
        return self.signed()

    def with_claims(self, **changes: Any) -> str:
        """Return the token with other claims, well signed."""
        self.claims = _changed(self.claims, changes)
        return self.signed()

    def payload(self, raw: bytes) -> str:
        """Return the token with any payload, well signed."""
        return sign(self.header, raw, make_key(self.kid), self.algorithm)

    def claims_text(self, **raw: str) -> str:
        """Return the token with claims written as they stand, for what Python would not write."""
        kept = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in self.claims.items() if name not in raw]
        members = ", ".join([*kept, *(f'"{name}": {text}' for name, text in raw.items())])
        return self.payload(f"{{{members}}}".encode())

    @property
    def text(self) -> bytes:
        """The claims as JSON."""
        return json.dumps(self.claims).encode()


def _changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not ABSENT}


Make = Callable[[Build], str]
Table = dict[str, tuple[str, Make]]


def long_token(build: Build, length: int) -> str:
    """Return a good token of exactly this length."""
    for pad in range(3):
        build.header["x"] = "a" * pad
        start = max(0, (length - 1000) * 3 // 4)
        for spare in range(start, start + 1000):
            if len(b64(json.dumps(build.claims | {"x": "a" * spare}).encode())) + _rest(build) == length:
                return build.with_claims(x="a" * spare)
    raise AssertionError(length)


def _rest(build: Build) -> int:
    header, _, signature = build.signed().split(".")
    return len(header) + len(signature) + 2


def _head(build: Build) -> str:
    """Return header and payload of a token, without its signature."""
    return build.signed().rpartition(".")[0]


def _signature(build: Build) -> bytes:
    return urlsafe_b64decode(build.signed().rpartition(".")[2].encode())


def _resigned(build: Build, change: Callable[[bytes], bytes]) -> str:
    """Return a token with its own signature changed."""
    head, _, signature = build.signed().rpartition(".")
    return f"{head}.{b64(change(urlsafe_b64decode(signature.encode())))}"


def _reworded(build: Build, part: int, changes: Mapping[str, Any]) -> str:
    """Return a token with its header (0) or claims (1) changed under the old signature."""
    parts = build.signed().split(".")
    parts[part] = b64(json.dumps(_changed((build.header, build.claims)[part], changes)).encode())
    return ".".join(parts)


def _unsigned(build: Build, algorithm: str, signature: str) -> str:
    build.header["alg"] = algorithm
    return f"{_head(build)}.{signature}"


def _by_secret(build: Build, secret: bytes, algorithm: str = "HS256", **header: Any) -> str:
    return hmac(_changed(build.header, {"alg": algorithm, **header}), build.claims, secret, algorithm)


def pem(name: str) -> bytes:
    """Return the public key of a kid as PEM."""
    key = make_key(name)
    assert isinstance(key, RSAKey)
    return key.as_pem(private=False)


def public_jwk(name: str) -> dict[str, Any]:
    """Return the public key of a kid as JWK."""
    return dict(make_key(name).as_dict(private=False))


def _der(raw: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def _loose_end(build: Build) -> str:
    """Return the same bytes in another spelling: the unused bits of the last character are not zero."""
    token = build.signed()
    assert len(token.rpartition(".")[2]) % 4 == 2
    return token[:-1] + _BASE64[_BASE64.index(token[-1]) + 1]


def _encrypted(build: Build) -> str:
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "rsa", "cty": "JWT"}
    return jwe.encrypt_compact(header, build.signed().encode(), make_key("rsa"), ["RSA-OAEP-256", "A256GCM"])


def _json_form(build: Build) -> str:
    header, payload, signature = build.signed().split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": signature})


def _b64_false(build: Build, **header: Any) -> str:
    """Return a token whose payload is signed unencoded (RFC 7797); it has no dot, so both readings have three parts."""
    first = b64(json.dumps({**build.header, "b64": False, **header}).encode())
    signed = f"{first}.{b64(build.text)}"
    return f"{signed}.{b64(JWSRegistry.algorithms['RS256'].sign(signed.encode(), make_key('rsa')))}"


def _attacker(build: Build, **header: Any) -> str:
    """Return a token signed by a key that nobody trusts, with a header that offers it."""
    build.header = _changed(build.header, header)
    return build.signed(make_key("rsa-attacker"))


FORM: dict[str, Make] = {
    **{f"just {text!r}": lambda _, text=text: text for text in ("", ".", "..", "token", "null", "...", "a.b.c.d.e")},  # type: ignore[misc]
    "two parts": _head,
    "four parts": lambda b: b.signed() + ".x",
    "two tokens": lambda b: f"{b.signed()}, {b.signed()}",
    "JWE": _encrypted,
    "JSON serialization": _json_form,
    "detached payload": lambda b: "{}..{}".format(*b.signed().split(".")[::2]),
    "signature empty": lambda b: _head(b) + ".",
    "space within": lambda b: b.signed().replace(".", ". "),
    "tab within": lambda b: b.signed().replace(".", "\t."),
    "quotes": lambda b: f'"{b.signed()}"',
    "padding": lambda b: b.signed() + "==",
    "plain base64": lambda b: b.signed() + "+/",
    "percent-encoded": lambda b: b.signed().replace(".", "%2E"),
    "not ASCII": lambda b: b.signed() + "ä",
    "longer than 8 KiB": lambda b: long_token(b, MAX_TOKEN + 1),
    "header not base64": lambda b: "A" + b.signed(),
    "header is a list": lambda b: sign(b"[]", b.claims, make_key("rsa"), "RS256"),
    "header is null": lambda b: sign(b"null", b.claims, make_key("rsa"), "RS256"),
    "header is not JSON": lambda b: sign(b"alg=RS256", b.claims, make_key("rsa"), "RS256"),
    "alg twice": lambda b: sign(b'{"alg":"none","kid":"rsa","alg":"RS256"}', b.claims, make_key("rsa"), "RS256"),
    "nested JWS": lambda b: sign(b.header | {"cty": "JWT"}, b.signed().encode(), make_key("rsa"), "RS256"),
    "claims are a list": lambda b: b.payload(b"[]"),
    "claims are a text": lambda b: b.payload(b'"x"'),
    "claims are null": lambda b: b.payload(b"null"),
    "claims are not JSON": lambda b: b.payload(b"iss=x"),
    "claims are spaces": lambda b: b.payload(b"  "),
    "claims and more": lambda b: b.payload(b.text + b"{}"),
    "claims in UTF-16": lambda b: b.payload(b.text.decode().encode("utf-16")),
    "claims with a byte order mark": lambda b: b.payload(b"\xef\xbb\xbf" + b.text),
    "claims not UTF-8": lambda b: b.payload(b.text[:-1] + b', "x": "\xff"}'),
    "claims with NUL": lambda b: b.payload(b.text + b"\0"),
    "claims 33 levels deep": lambda b: b.claims_text(x="[" * 33 + "]" * 33),
    "claims 2,000 levels deep": lambda b: b.claims_text(x="[" * 2000 + "]" * 2000),
    "5,000 open brackets": lambda b: b.payload(b"[" * 5000),
    "exp twice": lambda b: b.payload(b.text[:-1] + b', "exp": 99999999999}'),
    "a lone surrogate": lambda b: b.claims_text(sub='"\\ud800"'),
    "an integer of 4,000 digits": lambda b: b.claims_text(x="9" * 4000),
    "exp of 400 digits": lambda b: b.claims_text(exp="9" * 400),
    "exp 1e400": lambda b: b.claims_text(exp="1e400"),
    "exp NaN": lambda b: b.claims_text(exp="NaN"),
    "exp Infinity": lambda b: b.claims_text(exp="Infinity"),
    "nbf -Infinity": lambda b: b.claims_text(nbf="-Infinity"),
    **{f"alg {name}, no signature": lambda b, a=name: _unsigned(b, a, "") for name in ("none", "None", "nOnE", "NONE")},  # type: ignore[misc]
}  # fmt: skip

SIGNATURE: dict[str, Make] = {
    "another spelling of the signature": _loose_end,
    "PS256 said, RS256 done": lambda b: b.with_header(alg="PS256"),
    "RS512 said, RS256 done": lambda b: b.with_header(alg="RS512"),
    "signature of one byte": lambda b: _head(b) + ".AA",
    "signature of zeros": lambda b: _resigned(b, lambda _: bytes(256)),
    "signature cut": lambda b: _resigned(b, lambda raw: raw[:-1]),
    "signature longer": lambda b: _resigned(b, lambda raw: raw + b"\0"),
    "signature changed": lambda b: _resigned(b, lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])),
    "subject changed": lambda b: _reworded(b, 1, {"sub": "user-2"}),
    "scope changed": lambda b: _reworded(b, 1, {"scope": "customers:admin"}),
    "exp changed": lambda b: _reworded(b, 1, {"exp": b.now + 3000}),
    "header changed": lambda b: _reworded(b, 0, {"typ": "JWT"}),
    "another's signature": lambda b: b.signed(make_key("rsa-attacker")),
    "another token's signature": lambda b: _head(b) + "." + b.with_claims(sub="other").rpartition(".")[2],
    "ECDSA of zeros": lambda b: _resigned(b.by("ES256", "p256"), lambda _: bytes(64)),
    "ECDSA with r and s of the order": lambda b: _resigned(b.by("ES256", "p256"), lambda _: _P256_ORDER * 2),
    "ECDSA as DER": lambda b: _resigned(b.by("ES256", "p256"), _der),
    "ECDSA too short": lambda b: _resigned(b.by("ES256", "p256"), lambda raw: raw[:63]),
    "EdDSA of zeros": lambda b: _resigned(b.by("Ed25519", "ed25519"), lambda _: bytes(64)),
    "EdDSA of nothing": lambda b: _resigned(b.by("EdDSA", "ed25519"), lambda _: b"\0"),
    "jwk of the attacker, good kid": lambda b: _attacker(b, jwk=public_jwk("rsa-attacker")),
    "jku of the attacker, good kid": lambda b: _attacker(b, jku=b.trap + JWKS),
    "x5u of the attacker, good kid": lambda b: _attacker(b, x5u=b.trap + "/cert"),
    "x5c of the attacker, good kid": lambda b: _attacker(b, x5c=["MIIB"]),
}

KEY: dict[str, Make] = {
    "ES256 with an RSA key's kid": lambda b: b.by("ES256", "p256").with_header(kid="rsa"),
    "ES384 with a key of P-256": lambda b: b.by("ES384", "p384").with_header(kid="p256"),
    "Ed448 with a key of Ed25519": lambda b: b.by("Ed448", "ed448").with_header(kid="ed25519"),
    "jwk of the attacker, its kid": lambda b: _attacker(b, jwk=public_jwk("rsa-attacker"), kid="rsa-attacker"),
    "jwk of the attacker, no kid": lambda b: _attacker(b, jwk=public_jwk("rsa-attacker"), kid=ABSENT),
    "jku of the attacker": lambda b: _attacker(b, jku=b.trap + JWKS, kid="rsa-attacker"),
    "x5u of the attacker": lambda b: _attacker(b, x5u=b.trap + "/cert", kid="rsa-attacker"),
}

OTHERS: Table = {
    "secret: the key as PEM": ("alg", lambda b: _by_secret(b, pem("rsa"))),
    "secret: the key as PEM, stripped": ("alg", lambda b: _by_secret(b, pem("rsa").strip())),
    "secret: the key as JWK": ("alg", lambda b: _by_secret(b, json.dumps(public_jwk("rsa")).encode())),
    "secret: HS512": ("alg", lambda b: _by_secret(b, pem("rsa"), "HS512")),
    "secret: without kid": ("alg", lambda b: _by_secret(b, pem("rsa"), kid=ABSENT)),
    "secret: empty": ("alg", lambda b: _by_secret(b, b"")),
    "ES256K": ("alg", lambda b: b.by("ES256K", "secp256k1").signed()),
    "b64 false": ("crit", lambda b: _b64_false(b, crit=["b64"])),
    "b64 false without crit": ("crit", _b64_false),
    "crit of the known": ("crit", lambda b: b.with_header(crit=["exp"], exp=b.now + 300)),
    "an issuer of the attacker": ("issuer", lambda b: Build(b.trap, b.now).signed(make_key("rsa-attacker"))),
    "no claims": ("issuer", lambda b: b.payload(b"{}")),
    "an ID token": ("aud", lambda b: b.with_claims(aud="client-7", nonce="n", scope=ABSENT)),
    "no owner": ("sub", lambda b: b.with_claims(sub=ABSENT)),
    "expired 61 s ago": ("expired", lambda b: b.with_claims(exp=b.now - 61)),
    "expired 60 s ago": ("expired", lambda b: b.with_claims(exp=b.now - 60)),
    "expired in 1970": ("expired", lambda b: b.with_claims(exp=0)),
    "exp negative": ("expired", lambda b: b.with_claims(exp=-(10**12))),
    "nbf in 90 s": ("nbf", lambda b: b.with_claims(nbf=b.now + 90)),
    "iat in 90 s": ("iat", lambda b: b.with_claims(iat=b.now + 90)),
    **{f"alg {name}, a signature": ("alg", lambda b, a=name: _unsigned(b, a, "AAAA")) for name in ("none", "nOnE")},  # type: ignore[misc]
}  # fmt: skip

HEADER_VALUES: dict[str, tuple[str, list[Any]]] = {
    "alg": ("alg", [ABSENT, None, "", 5, ["RS256"], {"RS256": 1}, "rs256", "RS256 ", "RS256\0", "HS256", "RSA1_5"]),
    "typ": ("typ", [None, "", 5, ["JWT"], "JWE", "JWT ", "id+jwt", "dpop+jwt", "logout+jwt", "application/id+jwt"]),
    "kid": (
        "kid",
        [None, "", 5, True, ["rsa"], {"rsa": 1}, "a" * 129, "rsa\0", "rsa ", " rsa", "rsa\n", "r\u00e4sa", "\u202ersa",
         "' OR '1'='1", "rsa'; DROP TABLE keys; --"],
    ),
    "crit": ("crit", [None, [], ["x"], ["alg"], "alg", 5, {"exp": 1}]),
    "b64": ("crit", [False, None, 0, 1, "true", []]),
    "cty": ("crit", ["JWT", "jwt", "application/jwt", ["JWT"]]),
}  # fmt: skip

UNKNOWN_KIDS = [
    "unknown", "RSA", "../../../dev/null", "/dev/null", "file:///etc/passwd", "rsa/../rsa", "a'OR'1'='1", "rsa%00",
    "$ne", "*", "rsa,p256", "a" * 128, ABSENT,
]  # fmt: skip

CLAIM_VALUES: dict[str, tuple[str, list[Any]]] = {
    "iss": (
        "issuer",
        [ABSENT, None, "", 5, True, [NAME], {"x": 1}, "https://other.example", NAME + "/", NAME + "\0", NAME.upper(),
         " " + NAME, NAME + ".evil.example", NAME[:-1]],
    ),
    "aud": (
        "aud",
        [ABSENT, None, "", 5, True, [], ["other"], {AUDIENCE: 1}, "other", AUDIENCE + "/", AUDIENCE[:-1],
         AUDIENCE.upper(), f"{AUDIENCE} other", [AUDIENCE, 5], [[AUDIENCE]], [None]],
    ),
    "exp": ("exp", [ABSENT, None, "", True, False, "99999999999", [99999999999], {"x": 1}]),
    "nbf": ("nbf", [None, "", True, False, "0", [0], {"x": 1}, 1e300]),
    "iat": ("iat", [None, "", True, False, "0", [0], {"x": 1}, 1e300]),
    "sub": ("sub", [None, "", 5, True, ["user-1"], {"$ne": None}]),
    "client_id": ("client_id", [None, "", 5, ["x"]]),
    "azp": ("azp", [None, "", 5]),
    "jti": ("jti", [None, "", 5]),
    "scope": ("scope", [None, 5, True, {"customers:read": True}, ["customers:read", 5], [["customers:read"]]]),
}  # fmt: skip


def _word(value: object) -> str:
    return "absent" if value is ABSENT else json.dumps(value)[:40]


def _listed() -> Iterator[tuple[str, str, Make]]:
    for reason, group in {"form": FORM, "signature": SIGNATURE, "key": KEY}.items():
        yield from ((name, reason, make) for name, make in group.items())
    yield from ((name, reason, make) for name, (reason, make) in OTHERS.items())
    for name, (reason, values) in {**HEADER_VALUES, " kid": ("key", UNKNOWN_KIDS)}.items():
        for value in values:
            yield f"{name} {_word(value)}", reason, _with_header(name.strip(), value)
    for name, (reason, values) in CLAIM_VALUES.items():
        for value in values:
            yield f"{name} {_word(value)}", reason, _with_claim(name, value)


def _with_header(name: str, value: object) -> Make:
    return lambda b: b.with_header(**{name: value})


def _with_claim(name: str, value: object) -> Make:
    return lambda b: b.with_claims(**{name: value})


ATTACKS: Table = {name: (reason, make) for name, reason, make in _listed()}
