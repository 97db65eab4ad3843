"""Persisted documents: automatic ones, kept as clients send them, and trusted ones, listed by the operator.

Source: GraphQL over HTTP, appendix Persisted Documents; Apollo's automatic persisted queries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from aiocache import RedisCache
from aiocache.base import BaseCache
from redis.exceptions import RedisError

from app.auth.cache import BoundedCache
from app.limits.redis import connections
from app.settings import Settings
from resolvers.problem import Problem
from resolvers.problems import DOCUMENT_NOT_TRUSTED, GRAPHQL_REQUEST, PERSISTED_QUERY_NOT_FOUND

KEPT_SECONDS: Final = 24 * 3600
_IN_MEMORY: Final = 1000
_CAPACITY: Final = 4_000_000
"""How many documents are kept in memory, and how many bytes of them: one may have 64 KiB, at four bytes a character."""
_GARBLED: Final = (ValueError, RecursionError)
"""What the serializer of the cache raises for an entry that it has not written."""
NOT_FOUND: Final = "PersistedQueryNotFound"
"""The message that Apollo Client and urql know: they then send the document with its hash."""


class BadDocuments(ValueError):
    """The file of trusted documents cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class PersistedDocuments:
    """Finds documents by hash. With `trusted` only those run, and nothing that clients send is kept."""

    cache: BaseCache
    trusted: Mapping[str, str] | None = None

    async def text(self, query: str | None, sha256: str | None) -> str:
        """Return the document that is asked for by its text, its hash or both.

        Raises:
            Problem: persisted-query-not-found, document-not-trusted, or graphql-request where text and hash differ.
        """
        if query is not None and sha256 is None and self.trusted is None:
            return query  # nobody wants to know its digest
        found = None if query is None else digest(query)
        if sha256 and found and sha256 != found:
            raise Problem(GRAPHQL_REQUEST, "The SHA-256 is not that of the document.")
        if self.trusted is not None:
            return self._trusted(sha256 or found or "", free=query is not None)
        if query is not None:
            return query
        known = await self._known(sha256 or "")
        if known is None:
            raise Problem(PERSISTED_QUERY_NOT_FOUND, NOT_FOUND, resource="documents")
        return known

    def _trusted(self, sha256: str, *, free: bool) -> str:
        known = (self.trusted or {}).get(sha256)
        if known is not None:
            return known
        if free:
            raise Problem(DOCUMENT_NOT_TRUSTED, "Only listed documents run here.", resource="documents")
        raise Problem(PERSISTED_QUERY_NOT_FOUND, NOT_FOUND, resource="documents")

    async def keep(self, query: str | None, sha256: str | None) -> None:
        """Keep a document that came with its hash; call it once the document is known to be good."""
        if self.trusted is None and sha256 and query is not None:
            try:
                await self.cache.set(_name(sha256), query, ttl=KEPT_SECONDS)
            except (RedisError, OSError, TimeoutError) as error:
                _warn(error)

    async def _known(self, sha256: str) -> str | None:
        try:
            known = await self.cache.get(_name(sha256))
        except (RedisError, OSError, TimeoutError, *_GARBLED) as error:
            _warn(error)
            return None  # clients send the document again: nothing is lost but a round trip
        return known if isinstance(known, str) and digest(known) == sha256 else None


def digest(text: str) -> str:
    """Return the SHA-256 of a document, in lower hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _name(sha256: str) -> str:
    return f"document:{sha256}"


def _warn(error: Exception) -> None:
    structlog.get_logger().warning("Persisted queries are not to be had", error=type(error).__name__)


def read_trusted(path: Path) -> dict[str, str]:
    """Return the documents of a file by their SHA-256.

    The file is a JSON object of documents by hash, or a manifest with `operations`, each with a `body`,
    as Apollo's and Relay's tools write them. What does not match its hash is refused.

    Raises:
        BadDocuments: there is no such file, or it is neither.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadDocuments(f"the file {path} cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise BadDocuments(f"the file {path} is not JSON") from error
    listed = _listed(path, content)
    for name, text in listed.items():
        if name.removeprefix("sha256:").lower() != digest(text):
            raise BadDocuments(f"the file {path} has a document whose SHA-256 is not {name[:80]}")
    return {digest(text): text for text in listed.values()}


def _listed(path: Path, content: Any) -> dict[str, str]:
    listed = content.get("operations", content) if isinstance(content, dict) else None
    if isinstance(listed, list):
        whole = all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in listed)
        listed = {entry["id"]: entry.get("body") for entry in listed} if whole else None
    if not isinstance(listed, dict) or not listed or not all(isinstance(text, str) for text in listed.values()):
        raise BadDocuments(f'the file {path} must hold {{"<sha256>": "<document>"}} or a manifest with operations')
    return listed


@asynccontextmanager
async def open_documents(settings: Settings) -> AsyncIterator[PersistedDocuments]:
    """Give the documents of these settings: kept in a Redis that all gateways share, else in memory.

    Raises:
        BadDocuments: the file of trusted documents cannot be used.
    """
    trusted = read_trusted(settings.trusted_documents) if settings.trusted_documents else None
    if settings.redis_url is None:
        yield PersistedDocuments(BoundedCache(_IN_MEMORY, _CAPACITY), trusted)
        return
    pool = connections(settings.redis_url)
    try:
        cache = RedisCache(namespace="customer-gateway:", connection_pool_class=lambda **_: pool)
        yield PersistedDocuments(cache, trusted)
    finally:
        await pool.aclose()
