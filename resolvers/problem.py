"""A problem: what operations raise, and each door renders in its own form.

Source: RFC 9457; CRM API Guidelines, Problem Types; REST API Design Guidelines, Error Handling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

JsonValue = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]
Path = tuple[str | int, ...]
"""Where something stands in a JSON document: names and positions from the top."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One kind of problem: its page is `/problems/{slug}`, both doors show its one status."""

    slug: str
    code: int
    status: int
    title: str
    cause: str
    cure: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in what was sent: where (`path`), and the nearest place that was really sent (`sent`)."""

    path: Path
    message: str
    sent: Path

    @property
    def field(self) -> str:
        """The place as people write it: `addresses[0].postalCode`."""
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return text.removeprefix(".")

    @property
    def pointer(self) -> str:
        """The place as a JSON Pointer (RFC 6901) that resolves in the sent body."""
        return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in self.sent)


@dataclass(eq=False)
class Problem(Exception):
    """Raised by operations and doors; each door renders it in its own form.

    `extra` holds further extension members (camelCase), `resource` what it is about, `failures` what was wrong with
    each operation of a batch that had to be done as one; `replayed` tells that an earlier request with the same
    idempotency key met it.
    """

    type: ProblemType
    detail: str
    faults: Sequence[Fault] = ()
    extra: Mapping[str, JsonValue] = field(default_factory=lambda: MappingProxyType({}))
    resource: str = "customers"
    failures: Sequence[Failure] = ()
    replayed: bool = False

    def __str__(self) -> str:
        return self.detail

    def members(self, base_url: str, request_id: str) -> dict[str, JsonValue]:
        """Return the members that both doors show; each adds what is its own (RFC 9457 section 3)."""
        members: dict[str, JsonValue] = {
            "type": f"{base_url}/problems/{self.type.slug}",
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            "code": self.type.code,
            "requestId": request_id,
            "resource": self.resource,
            **self.extra,
        }
        if self.faults:
            members["errors"] = [
                {"field": fault.field, "pointer": fault.pointer, "message": fault.message} for fault in self.faults
            ]
        if self.failures:
            members["failures"] = [one.members(base_url, request_id) for one in self.failures]
        return members


@dataclass(frozen=True, slots=True)
class Failure:
    """An operation of a batch that could not be done: its place from 0, its kind, its customer, and why."""

    index: int
    kind: str | None
    id: str | None
    problem: Problem

    def members(self, base_url: str, request_id: str) -> dict[str, JsonValue]:
        """Return the members that both doors show."""
        shown = {name: value for name, value in (("op", self.kind), ("id", self.id)) if value is not None}
        told = self.problem.members(base_url, request_id)
        return {"index": self.index, **shown, "status": self.problem.type.status, "problem": told}
