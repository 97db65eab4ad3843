"""All settings, read from the environment and `.env` with the prefix `GATEWAY_`; frozen once read."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def default_data_dir() -> Path:
    """Return the folder of the embedded MongoDB: under `$XDG_DATA_HOME`, else `~/.local/share`."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "customer-gateway"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches an address."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


ASYMMETRIC: Final = tuple("RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519 Ed448".split())
"""The signature algorithms of JWS that need no shared secret (RFC 7518 section 3.1, RFC 8037, RFC 9864)."""

RATE: Final = r"[1-9][0-9]{0,8}/(([1-9][0-9]{0,3})?(second|minute|hour))"
"""The form of a rate limit, such as `600/minute`."""
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.\-]*://[a-z0-9.\-_\[\]:]+")

MOST_IN_FLIGHT: Final = 1000
"""Few enough to be answered within a second or two, on one processor."""
Names = Annotated[tuple[str, ...], NoDecode]
"""Several values, separated by commas."""


class Settings(BaseSettings):
    """What can be set; `docs/settings.md` is made from the descriptions."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_file=".env", extra="ignore", frozen=True)

    mongodb_url: str | None = Field(
        default=None,
        pattern=r"^mongodb(\+srv)?://",
        repr=False,
        description="Address of the MongoDB replica set. Absent: the embedded mongod.",
    )
    mongodb_database: str = Field(
        default="gateway", pattern=r"^[A-Za-z0-9_-]{1,38}$", description="Name of the database."
    )
    mongodb_driver: Literal["pymongo", "motor"] = Field(
        default="pymongo", description="The driver: PyMongo's asynchronous client, or Motor."
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the embedded MongoDB; by default `customer-gateway` under `$XDG_DATA_HOME`, "
        "else under `~/.local/share`.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=64, description="How many worker processes serve.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="How clients reach the gateway, for links. Absent: as each request reached it.",
    )
    redis_url: str | None = Field(
        default=None,
        pattern=r"^rediss?://",
        repr=False,
        description="Address of a Redis that several gateways share for limits and persisted queries. Absent: memory.",
    )
    jwt_issuer: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="The issuer (`iss`) whose bearer tokens are good here; its keys are found by discovery unless "
        "one of the next two says where they are.",
    )
    jwt_audience: str | None = Field(
        default=None, min_length=1, description="Who tokens must be meant for (`aud`); needed with `JWT_ISSUER`."
    )
    jwt_jwks_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s#]+$", description="Where the issuer publishes its keys (JWKS)."
    )
    jwt_public_key: str | None = Field(
        default=None, description="The issuer's one public key, as PEM or JWK, instead of a JWKS."
    )
    jwt_algorithms: Names = Field(
        default=ASYMMETRIC, description="Signature algorithms that are taken, separated by commas; asymmetric only."
    )
    store_secret: str | None = Field(
        default=None,
        min_length=32,
        repr=False,
        description="Seals the private keys that the gateway signs its own tokens with, and the secrets of webhooks, "
        "where they lie in the store; the same on every gateway of the store.",
    )
    rate_limit: str = Field(
        default="600/minute",
        pattern=rf"^(off|{RATE})$",
        description="Units that a caller may spend in a time, such as `600/minute` or `50/10second`; "
        "`off` ends every limit.",
    )
    daily_quota: int | None = Field(
        default=None, ge=1, le=10**12, description="Units that a caller may spend in a day (UTC); `off` for no quota."
    )
    rest_profile: Literal["plain", "enveloped"] = Field(
        default="plain", description="The representation for clients that do not choose one."
    )
    us_address_rules: bool = Field(
        default=False, description="Whether addresses in the United States follow the US rules."
    )
    request_timeout: float = Field(
        default=5.0, gt=0.5, le=300, description="Seconds that a request may take until it is answered."
    )
    max_in_flight: int = Field(
        default=MOST_IN_FLIGHT,
        ge=1,
        le=100_000,
        description="Requests that a worker works on at once; what comes beyond is refused with 503 `overloaded`.",
    )
    max_body: int = Field(
        default=1024 * 1024, ge=1024, le=16 * 1024 * 1024, description="Bytes that a request's body may have."
    )
    cors_origins: Names = Field(
        default=(), description="Origins whose pages may call the gateway, separated by commas."
    )
    introspection: bool = Field(default=True, description="Whether GraphQL's introspection is open.")
    graphql_max_document: int = Field(
        default=16 * 1024, ge=1024, le=1024 * 1024, description="Bytes of a GraphQL document."
    )
    graphql_max_variables: int = Field(
        default=64 * 1024, ge=1024, le=1024 * 1024, description="Bytes of a GraphQL request's variables, as JSON."
    )
    graphql_max_tokens: int = Field(default=1000, ge=50, le=10_000, description="Tokens of a GraphQL document.")
    graphql_max_depth: int = Field(
        default=10, ge=1, le=50, description="Levels of fields of a GraphQL operation, introspection apart."
    )
    graphql_max_aliases: int = Field(default=15, ge=0, le=1000, description="Aliases of a GraphQL operation.")
    graphql_max_directives: int = Field(default=50, ge=0, le=1000, description="Directives of a GraphQL operation.")
    graphql_max_root_fields: int = Field(default=20, ge=1, le=1000, description="Root fields of a GraphQL operation.")
    graphql_max_cost: int = Field(
        default=3000, ge=1, le=10**6, description="Cost of a GraphQL operation: the objects that it may answer."
    )
    gather: bool = Field(
        default=True,
        description="Whether reads by id, equal lists and creates that wait together go to the store as one.",
    )
    render_cache: int = Field(
        default=12_000_000,
        ge=0,
        le=2**33,
        description="Bytes of memory for what lists have shown of customers that are still at the same version, "
        "in each worker; 0 keeps nothing.",
    )
    graphql_plans: Literal["on", "values", "off"] = Field(
        default="on",
        description="Whether GraphQL answers by compiled plans: `values` leaves root fields to graphql-core, "
        "`off` everything.",
    )
    trusted_documents: Path | None = Field(
        default=None,
        description="A JSON file of GraphQL documents by their SHA-256; with it no other document runs.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe log lines that are written."
    )
    audit_log: Path | None = Field(
        default=None,
        description="The file to which a line is appended for each change, by the gateway and by its commands. "
        "Absent: the gateway's log.",
    )
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM), for HTTPS.")
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of the certificate.")
    metrics_token: str | None = Field(
        default=None,
        min_length=32,
        pattern=r"^[A-Za-z0-9._~+/-]+=*$",
        repr=False,
        description="A bearer token that may read `/metrics`, beside credentials of the scope `customers:admin`.",
    )
    otel_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s?#]+$",
        description="Where traces go, by OTLP over HTTP: a collector's address without `/v1/traces`. Absent: nowhere.",
    )
    webhook_allow_private: bool = Field(
        default=False,
        description="Whether webhooks may lead to `http` and into private networks. Only for tests, and where every "
        "caller of the scope `customers:admin` may reach all that this machine reaches.",
    )
    trusted_proxies: Names = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-* headers count, separated by commas.",
    )
    dev: bool = Field(default=False, description="Set by `gateway dev`: the playground comes with `dev_key` filled in.")
    limits_table: Path | None = Field(
        default=None, description="Set by `gateway serve` for several workers: the file in which they count together."
    )
    metrics_folder: Path | None = Field(
        default=None, description="Set by `gateway serve` for several workers: the folder in which they add up metrics."
    )
    dev_key: str | None = Field(default=None, description="Set by `gateway dev`: the demo API key.", repr=False)

    @field_validator("cors_origins", "trusted_proxies", "jwt_algorithms", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # Browsers send no other form, so it would silently let nobody in; `*` and `null` are anybody's.
        if not all(map(_ORIGIN.fullmatch, value)):
            raise ValueError("origins like https://app.example.com, in small letters and without a path")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # A name would be compared with addresses, and so silently trust nobody.
        return tuple(part if _is_address(part) else str(ip_network(part, strict=False)) for part in value)

    @field_validator("redis_url")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        try:
            _ = urlsplit(value or "").port
        except ValueError:  # which would show a part of the address, perhaps of the password
            raise ValueError("redis://user:password@host:6379/0, with reserved characters percent-encoded") from None
        return value

    @field_validator("jwt_algorithms")
    @classmethod
    def _asymmetric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not set(value) <= set(ASYMMETRIC):
            raise ValueError(f"some of {', '.join(ASYMMETRIC)}")
        return value

    @field_validator("jwt_issuer", "jwt_jwks_url")
    @classmethod
    def _secure(cls, value: str | None) -> str | None:
        if value and value.startswith("http://") and not is_loopback(urlsplit(value).hostname or ""):
            raise ValueError("https, unless it is on this machine")
        return value

    @field_validator("jwt_public_key")
    @classmethod
    def _lines(cls, value: str | None) -> str | None:
        return value.replace("\\n", "\n") if value else None  # an environment file keeps PEM on one line

    @field_validator("daily_quota", mode="before")
    @classmethod
    def _no_quota(cls, value: object) -> object:
        return None if value == "off" else value

    @model_validator(mode="after")
    def _whole_issuer(self) -> Settings:
        if self.jwt_issuer and not self.jwt_audience:
            raise ValueError("GATEWAY_JWT_AUDIENCE is needed with GATEWAY_JWT_ISSUER")
        if (self.jwt_jwks_url or self.jwt_public_key) and not self.jwt_issuer:
            raise ValueError("GATEWAY_JWT_ISSUER is needed with GATEWAY_JWT_JWKS_URL and GATEWAY_JWT_PUBLIC_KEY")
        if self.jwt_jwks_url and self.jwt_public_key:
            raise ValueError("set one of GATEWAY_JWT_JWKS_URL and GATEWAY_JWT_PUBLIC_KEY")
        return self

    @field_validator("public_url")
    @classmethod
    def _no_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    def local_url(self) -> str:
        """Return the gateway's address on this machine."""
        scheme = "https" if self.tls_cert else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"
