"""All settings, read from the environment and `.env` with the prefix `GATEWAY_`; frozen once read."""

from __future__ import annotations

import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
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
    rest_profile: Literal["plain", "enveloped"] = Field(
        default="plain", description="The representation for clients that do not choose one."
    )
    us_address_rules: bool = Field(
        default=False, description="Whether addresses in the United States follow the US rules."
    )
    request_timeout: float = Field(
        default=5.0, gt=0.5, le=300, description="Seconds that a request may take until it is answered."
    )
    max_body: int = Field(
        default=1024 * 1024, ge=1024, le=16 * 1024 * 1024, description="Bytes that a request's body may have."
    )
    cors_origins: Names = Field(
        default=(), description="Origins whose pages may call the gateway, separated by commas."
    )
    introspection: bool = Field(default=True, description="Whether GraphQL's introspection is open.")
    graphql_max_depth: int = Field(default=10, ge=3, le=50, description="Levels of fields of a GraphQL document.")
    graphql_max_tokens: int = Field(default=1000, ge=50, le=10_000, description="Tokens of a GraphQL document.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe log lines that are written."
    )
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM), for HTTPS.")
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of the certificate.")
    trusted_proxies: Names = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-* headers count, separated by commas.",
    )
    dev: bool = Field(default=False, description="Set by `gateway dev`: the playground comes with `dev_key` filled in.")
    dev_key: str | None = Field(default=None, description="Set by `gateway dev`: the demo API key.", repr=False)

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # A name would be compared with addresses, and so silently trust nobody.
        return tuple(part if _is_address(part) else str(ip_network(part, strict=False)) for part in value)

    @field_validator("public_url")
    @classmethod
    def _no_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None
