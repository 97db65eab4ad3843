"""One REST request on its way to an operation: its context, its parameters, its preferences."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from app.http.body import parse_json, read_body
from app.http.negotiation import wants_envelope
from app.http.requests import state_of
from app.rest.conditions import precondition
from app.rest.parameters import Parameters
from app.rest.preferences import Preferences
from resolvers.changes import Target
from resolvers.context import Context
from resolvers.identifiers import customer_id, part_id
from resolvers.patches import Body, Change, JsonPatch, MergePatch, Replace
from resolvers.problems import UNSUPPORTED_MEDIA_TYPE, Problem
from storage.documents import CustomerId, PartId

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
PATCH_TYPES = (MERGE_PATCH, JSON_PATCH, JSON)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler has in hand."""

    request: Request
    ctx: Context
    parameters: Parameters
    preferences: Preferences
    canonical: str | None = None

    @property
    def enveloped(self) -> bool:
        """Whether the answer is to be enveloped."""
        return wants_envelope(self.request)

    @property
    def strict(self) -> bool:
        """Whether unknown properties are to be refused."""
        return self.preferences.strict

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be stored."""
        return self.parameters.flag("dryRun", default=False)

    @property
    def minimal(self) -> bool:
        """Whether a change is to be answered by id and time alone."""
        return self.preferences.minimal or not self.parameters.flag("resource", default=True)

    def customer_id(self) -> CustomerId:
        """Return the customer's id of the path; raises invalid-id."""
        return customer_id(self.request.path_params["customerId"])

    def part_id(self, name: str, noun: str) -> PartId:
        """Return the part's id of the path; raises invalid-id."""
        return part_id(self.request.path_params[name], noun)

    def target(self, *, required: bool) -> Target:
        """Return which customer is to change, under which precondition."""
        return Target(self.customer_id(), precondition(self.request, required=required), self.dry_run)

    async def body(self) -> Body:
        """Return the JSON body, read now and parsed when its turn comes; raises for type and size."""
        self._media_type(JSON)
        return self._parsed(await self._raw())

    async def replacement(self) -> Change:
        """Return the change that a PUT asks for."""
        return Replace(await self.body())

    async def patch(self) -> Change:
        """Return the change that a PATCH asks for, by its media type."""
        kind = self._media_type(*PATCH_TYPES)
        body = self._parsed(await self._raw())
        return JsonPatch(body) if kind == JSON_PATCH else MergePatch(body)

    @staticmethod
    def _parsed(raw: bytes) -> Body:
        return lambda: parse_json(raw)

    async def _raw(self) -> bytes:
        limit = state_of(self.request).settings.max_body
        return await read_body(self.request.stream(), self.request.headers.get("content-length"), limit)

    def _media_type(self, *types: str) -> str:
        header = self.request.headers.get("content-type", "")
        kind, _, rest = header.partition(";")
        charset = rest.lower().replace(" ", "").replace('"', "")
        if kind.strip().lower() not in types or ("charset=" in charset and "charset=utf-8" not in charset):
            raise Problem(UNSUPPORTED_MEDIA_TYPE, f"This reads {', '.join(types)} in UTF-8.")
        if self.request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Problem(UNSUPPORTED_MEDIA_TYPE, "Compressed bodies are not read.")
        return kind.strip().lower()
