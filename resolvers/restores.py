"""Restoring: the lines of a backup, with the ids, versions and times that the customers had, and tombstones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from resolvers.imports import KINDS, Keep, Outcome, Ready, Result, Rules, refused
from resolvers.operation import email_taken
from resolvers.problem import Fault, JsonValue, Problem
from resolvers.problems import CONFLICT, WRONG_TOP_LEVEL
from resolvers.validation import check, nearest
from resolvers.validation import refused as not_valid
from storage.bulk import Bulk, expired, prepare
from storage.documents import Customer, CustomerId, Instant, Tombstone, differences, instant
from storage.errors import Duplicate, WriteConflict
from storage.model import CustomerInput
from storage.store import Store

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_MOST: Final = 2**53


class Gone(NamedTuple):
    """A line that holds a tombstone."""

    line: int
    tombstone: Tombstone


@dataclass(frozen=True, slots=True)
class Restore:
    """Lines as `backup_line` writes them. A conflict is an id that is stored with other content.

    An e-mail address that another customer has is always refused. What was erased does not come back, and a
    tombstone erases the customer that it outdates, whatever the rules say of conflicts.
    """

    opened: Store
    rules: Rules

    def prepare(self, line: int, value: JsonValue) -> Ready | Gone:
        """Return a customer or a tombstone; raises validation-error with every fault."""
        if not isinstance(value, dict):
            raise Problem(WRONG_TOP_LEVEL, "The line must be a JSON object.")
        kept = ("id", "version", "deletedAt") if "deletedAt" in value else ("id", "version", "createdAt", "updatedAt")
        if faults := list(_faults(value, kept)):
            raise not_valid(faults)
        own = {name: value[name] for name in kept}
        if "deletedAt" in value:
            return Gone(line, cast("Tombstone", own))
        return Ready(line, prepare(cast("Customer", self._restored(value, own))))

    def _restored(self, value: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
        # Without the rules for US addresses: a customer may be older than the setting, and comes back as it was.
        fields = check(CustomerInput, value, strict=False, us_address_rules=False, locate=nearest(value))
        for kind in KINDS:
            sent = value[kind.list_name]
            faults = [fault for index, part in enumerate(sent) for fault in _part_faults(kind.list_name, index, part)]
            if faults or len({part["id"] for part in sent}) < len(sent):
                at = (kind.list_name,)
                raise not_valid(faults or [Fault(at, "must have an id of its own each", at)])
            fields[kind.list_name] = [
                {"id": part["id"], **clean} for part, clean in zip(sent, fields[kind.list_name], strict=True)
            ]
        times = {name: own[name] for name in ("createdAt", "updatedAt")}
        return {"id": own["id"], "version": own["version"], **fields, **times}

    async def store(self, ready: Sequence[Ready | Gone], keep: Keep) -> None:
        """Store customers first, then tombstones."""
        await keep(await self._stored(ready), None)

    async def _stored(self, ready: Sequence[Ready | Gone]) -> list[Result]:
        bulk = Bulk.of(self.opened)
        customers = [one for one in ready if isinstance(one, Ready)]
        erased = await bulk.find_tombstones([one.customer["id"] for one in customers])
        results = [Result(one.line, self._erased()) for one in customers if one.customer["id"] in erased]
        new = [one for one in customers if one.customer["id"] not in erased]
        taken = await refused(bulk, new, dry_run=self.rules.dry_run)
        results += [Result(one.line, "created") for one in new if one.line not in taken]
        again = [one for one in new if one.line in taken]
        found = await bulk.find_by_ids([one.customer["id"] for one in again]) if again else {}
        results += [Result(one.line, await self._met(one.customer, found)) for one in again]
        gone = [one for one in ready if isinstance(one, Gone)]
        return results + [Result(one.line, await self._bury(bulk, one.tombstone)) for one in gone]

    def _erased(self) -> Outcome | Problem:
        return "skipped" if self.rules.on_conflict == "skip" else Problem(CONFLICT, "The customer has been erased.")

    async def _met(self, new: Customer, found: dict[CustomerId, Customer]) -> Outcome | Problem:
        """Return what becomes of a customer whose id or e-mail address is stored."""
        known = new["id"] in found
        while (old := found.get(new["id"])) is not None:
            if old == new or self._newer(old, new) == old:
                return "unchanged"
            if self.rules.on_conflict != "update":
                told = f"A customer with this id is stored with other content, at version {old['version']}."
                return "skipped" if self.rules.on_conflict == "skip" else Problem(CONFLICT, told)
            if self.rules.dry_run or await self._replaced(old, self._newer(old, new)):
                return "updated"
            del found[new["id"]]  # who has been erased meanwhile is not found again
            found |= await Bulk.of(self.opened).find_by_ids([new["id"]])
        if known:
            return self._erased()
        return "skipped" if self.rules.on_conflict == "skip" else email_taken()

    def _newer(self, old: Customer, new: Customer) -> Customer:
        """Return the file's customer after the stored one: no version comes twice, and no time moves back."""
        if new["version"] > old["version"] and new["updatedAt"] >= old["updatedAt"]:
            return new
        if {**new, "version": 0, "updatedAt": ""} == {**old, "version": 0, "updatedAt": ""}:
            return old
        now = Instant(max(instant(self.rules.clock()), old["updatedAt"], new["updatedAt"]))
        return {**new, "version": max(old["version"] + 1, new["version"]), "updatedAt": now}

    async def _replaced(self, old: Customer, new: Customer) -> bool:
        return await self.opened.customers.replace(new, version=old["version"], changed=differences(old, new))

    async def _bury(self, bulk: Bulk, tombstone: Tombstone) -> Outcome | Problem:
        """Keep a tombstone, erasing the customer that it outdates."""
        found = (await bulk.find_by_ids([tombstone["id"]])).get(tombstone["id"])
        if found is not None and found["version"] >= tombstone["version"]:
            told = f"A customer with this id is stored at version {found['version']}, later than it was erased."
            return "skipped" if self.rules.on_conflict == "skip" else Problem(CONFLICT, told)
        if expired(tombstone["deletedAt"], instant(self.rules.clock())) and found is None:
            return "skipped"
        if self.rules.dry_run:
            kept = found is None and tombstone["id"] in await bulk.find_tombstones([tombstone["id"]])
            return "unchanged" if kept else "erased"
        return await (self._keep(bulk, tombstone) if found is None else self._erase(found, tombstone))

    async def _keep(self, bulk: Bulk, tombstone: Tombstone) -> Outcome:
        try:
            await bulk.create_tombstone(tombstone)
        except Duplicate:
            return "unchanged"
        return "erased"

    async def _erase(self, found: Customer, tombstone: Tombstone) -> Outcome | Problem:
        try:
            done = await self.opened.customers.delete(
                found["id"], version=found["version"], deleted_at=tombstone["deletedAt"]
            )
        except WriteConflict:
            done = None
        return "erased" if done else Problem(CONFLICT, "The customer changed at the same moment. Restore again.")


def _faults(value: dict[str, Any], names: Sequence[str]) -> list[Fault]:
    checks = {
        "id": (_is_uuid, "must be a UUID in small letters"),
        "version": (_is_version, "must be a whole number from 1"),
    }
    wrong = []
    for name in names:
        good, told = checks.get(name, (_is_instant, "must be a time like 2026-01-31T12:00:00.000Z"))
        if not good(value.get(name)):
            wrong.append(Fault((name,), told, (name,) if name in value else ()))
    return wrong


def _part_faults(list_name: str, index: int, part: dict[str, Any]) -> list[Fault]:
    if _is_uuid(part.get("id")):
        return []
    sent = (list_name, index, "id") if "id" in part else (list_name, index)
    return [Fault((list_name, index, "id"), "must be a UUID in small letters", sent)]


def _is_uuid(value: object) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < _MOST


def _is_instant(value: object) -> bool:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
