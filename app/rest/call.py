"""One REST request on its way to an operation: its context, its parameters, its preferences."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from app.http.body import parse_json, read_body
from app.http.heads import heads_of
from app.http.idempotency import sent_key
from app.http.requests import REQUEST_ID, state_of
from app.rest.conditions import precondition
from app.rest.parameters import Parameters
from app.rest.preferences import Preferences
from resolvers.changes import Target
from resolvers.context import Context, IdempotencyKey
from resolvers.disclosure import sees_changed
from resolvers.idempotency import idempotency_key
from resolvers.identifiers import customer_id, part_id
from resolvers.patches import Body, Change, JsonPatch, MergePatch, Replace
from resolvers.problem import JsonValue, Problem
from resolvers.problems import UNSUPPORTED_MEDIA_TYPE
from storage.documents import CustomerId, PartId

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
PATCH_TYPES = (MERGE_PATCH, JSON_PATCH, JSON)
_KEPT = {"POST": ("handling",), "PUT": ("handling", "return"), "PATCH": ("handling", "return")}
"""Which preferences mean something, by method."""
_LARGE = 256 * 1024
"""From so many bytes on a body is parsed in a thread."""
_REQUEST_ID = b"request-id"
_UTF_8 = {"utf-8", "utf8"}


class Usage(Protocol):
    """What of a request is deprecated."""

    def noticed(self, body: JsonValue) -> JsonValue:
        """Return the body, what it names told and counted. Raises retired."""
        ...


@dataclass(slots=True)
class Call:
    """What a handler has in hand.

    `enveloped` asks for that form of the answer, `resource` False for a short one; `dry_run` stores nothing. `usage` is
    there where something of the endpoint is deprecated.
    """

    request: Request
    ctx: Context
    parameters: Parameters
    preferences: Preferences
    enveloped: bool = False
    dry_run: bool = False
    resource: bool = True
    canonical: str | None = None
    usage: Usage | None = None

    @property
    def strict(self) -> bool:
        """Whether unknown properties are to be refused."""
        return self.preferences.strict

    @property
    def minimal(self) -> bool:
        """Whether a change is to be answered by id and time alone: by wish, or as more is not for the caller."""
        return self.preferences.minimal or not self._shows_changed

    def applied(self) -> dict[str, str]:
        """Return the header that says which preferences were kept: those that mean something here."""
        kept = _KEPT.get(self.request.scope["method"])
        if kept is None:
            return {}
        preferences = self.preferences if self._shows_changed else self.preferences.without_representation()
        return preferences.applied(kept)

    @property
    def _shows_changed(self) -> bool:
        return self.resource and sees_changed(self.ctx)

    def customer_id(self) -> CustomerId:
        """Return the customer's id of the path; raises invalid-id."""
        return customer_id(self.request.path_params["customerId"])

    def part_id(self, name: str, noun: str) -> PartId:
        """Return the part's id of the path; raises invalid-id."""
        return part_id(self.request.path_params[name], noun)

    def target(self, *, required: bool) -> Target:
        """Return which customer is to change, under which precondition."""
        return Target(self.customer_id(), precondition(self.request, required=required), self.dry_run)

    def key(self) -> IdempotencyKey | None:
        """Return the request's idempotency key; a dry run has none.

        In the enveloped profile a POST's own Request-Id is the key where no other is sent (REST API Design
        Guidelines, Request Id).

        Raises:
            Problem: idempotency-key.
        """
        key = sent_key(self.request.scope)
        if key is None and self.enveloped and self.request.scope["method"] == "POST":
            sent = heads_of(self.request.scope).get(_REQUEST_ID, b"")
            key = idempotency_key(sent.decode()) if REQUEST_ID.fullmatch(sent) else None
        return None if self.dry_run else key

    async def body(self) -> Body:
        """Return the JSON body, read now and parsed when its turn comes; raises for type and size."""
        self.media_type(JSON)
        return self._parsed(await self._raw())

    async def large_json(self, most: int) -> JsonValue:
        """Return a JSON body of at most `most` bytes; a large one is parsed while other requests have their turn."""
        self.media_type(JSON)
        raw = await self._raw(most)
        value = await asyncio.to_thread(parse_json, raw) if len(raw) > _LARGE else parse_json(raw)
        return value if self.usage is None else self.usage.noticed(value)

    async def replacement(self) -> Change:
        """Return the change that a PUT asks for."""
        return Replace(await self.body())

    async def patch(self) -> Change:
        """Return the change that a PATCH asks for, by its media type."""
        kind = self.media_type(*PATCH_TYPES)
        body = self._parsed(await self._raw())
        return JsonPatch(body) if kind == JSON_PATCH else MergePatch(body)

    def _parsed(self, raw: bytes) -> Body:
        usage = self.usage
        return (lambda: parse_json(raw)) if usage is None else (lambda: usage.noticed(parse_json(raw)))

    async def _raw(self, most: int = 0) -> bytes:
        raw = await read_body(self.request, max(most, state_of(self.request).settings.max_body))
        self.ctx.begin()
        return raw

    def media_type(self, *types: str) -> str:
        """Return the media type of the body, which must be one of these, in UTF-8; raises unsupported-media-type."""
        kind, *parameters = (part.strip().lower() for part in self._header(b"content-type").split(";"))
        pairs = (parameter.partition("=") for parameter in parameters)
        charsets = {value.strip().strip('"') for name, _, value in pairs if name.strip() == "charset"}
        if kind not in types or not charsets <= _UTF_8:
            raise Problem(UNSUPPORTED_MEDIA_TYPE, f"This reads {', '.join(types)} in UTF-8.")
        if self._header(b"content-encoding").lower() not in {"", "identity"}:
            raise Problem(UNSUPPORTED_MEDIA_TYPE, "Compressed bodies are not read.")
        return kind

    def _header(self, name: bytes) -> str:
        """Return a header; one sent twice is one that names nothing we know (RFC 9110 section 5.3)."""
        return heads_of(self.request.scope).text(name)
