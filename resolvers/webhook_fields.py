"""From what a client says of a webhook to clean fields, or to one problem that tells all faults at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from resolvers.patches import Change
from resolvers.problem import Fault, JsonValue, Path, Problem
from resolvers.problems import WRONG_TOP_LEVEL
from resolvers.validation import Locate, nearest, refused
from resolvers.webhook_rules import WebhookRules
from resolvers.webhook_targets import BadTarget, is_address, is_public, target_of
from storage.deliveries import STATES, Range, State
from storage.documents import Instant, instant

EVENT_TYPES: Final = ("customer.created", "customer.updated", "customer.deleted")
"""What a webhook may ask for, as the body of a delivery names it."""
REPLAYED: Final[tuple[State, ...]] = ("failed",)
"""What a replay of a range sends again where nothing is said."""
LOOK_UP_SECONDS: Final = 1.0
"""How long the name of a new address is looked up; each delivery looks again."""
_PRIVATE: Final = "must not lead to a private network"

Json = dict[str, JsonValue]


class Fields(NamedTuple):
    """What a client says of a webhook."""

    url: str
    types: tuple[str, ...]
    enabled: bool


def created_fields(value: JsonValue, rules: WebhookRules, *, strict: bool) -> Fields:
    """Return what is said of a new webhook; all types where none are named. Raises validation-error."""
    said: Json = {"types": list(EVENT_TYPES), "enabled": True, **_object(value)}
    return _fields(said, rules, nearest(value), strict=strict)


def changed_fields(before: Fields, change: Change, rules: WebhookRules, *, strict: bool) -> Fields:
    """Return what is said of a webhook after a change. Raises validation-error, and what the change raises."""
    current: Json = {"url": before.url, "types": list(before.types), "enabled": before.enabled}
    return _fields(_object(change.apply(current)), rules, change.locate, strict=strict)


def _object(value: JsonValue) -> Json:
    if not isinstance(value, dict):
        raise Problem(WRONG_TOP_LEVEL, "The body must be a JSON object.")
    return value


def _fields(value: Json, rules: WebhookRules, locate: Locate, *, strict: bool) -> Fields:
    faults = [*_url_faults(value.get("url"), rules), *_type_faults(value.get("types")), *_enabled_faults(value)]
    _refuse([*faults, *_unknown(value, Fields._fields, strict=strict)], locate)
    types = value["types"]
    chosen = types if isinstance(types, list) else []
    return Fields(str(value["url"]), tuple(one for one in EVENT_TYPES if one in chosen), value["enabled"] is True)


def _refuse(faults: Sequence[tuple[Path, str]], locate: Locate) -> None:
    if faults:
        raise _about_webhooks([Fault(path, message, locate(path)) for path, message in faults])


def _about_webhooks(faults: Sequence[Fault]) -> Problem:
    problem = refused(faults)
    problem.resource = "webhooks"
    return problem


def _unknown(value: Json, known: Sequence[str], *, strict: bool) -> Iterator[tuple[Path, str]]:
    if strict:
        yield from (((name,), "is not a property of this document") for name in value if name not in known)


def _url_faults(url: JsonValue, rules: WebhookRules) -> Iterator[tuple[Path, str]]:
    if url is None:
        yield ("url",), "is required"
    elif not isinstance(url, str):
        yield ("url",), "must be a string"
    else:
        try:
            target_of(url, allow_private=rules.allow_private)
        except BadTarget as error:
            yield ("url",), str(error)


def _type_faults(types: JsonValue) -> Iterator[tuple[Path, str]]:
    if not isinstance(types, list):
        yield ("types",), "must be an array"
    elif not types:
        yield ("types",), "must have at least 1 item"
    else:
        yield from _word_faults(("types",), types, EVENT_TYPES)


def _word_faults(path: Path, words: Sequence[JsonValue], known: Sequence[str]) -> Iterator[tuple[Path, str]]:
    if len(words) > len(known):  # told first: a body has room for many thousands, each with a fault of its own
        yield path, f"must have at most {len(known)} items"
        return
    for index, word in enumerate(words):
        if word not in known:
            yield (*path, index), f"must be one of {', '.join(known)}"
        elif word in words[:index]:
            yield (*path, index), "is there twice"


def _enabled_faults(value: Json) -> Iterator[tuple[Path, str]]:
    if not isinstance(value.get("enabled"), bool):
        yield ("enabled",), "must be true or false"


async def check_name(url: str, rules: WebhookRules, deadline: float) -> None:
    """Refuse a host whose name leads into a private network now; each delivery looks again, so one unknown passes.

    The look ends after `LOOK_UP_SECONDS`, or at the moment `deadline` of `time.monotonic`.
    """
    target = target_of(url, allow_private=rules.allow_private)
    if rules.allow_private or is_address(target.host):
        return
    try:
        async with asyncio.timeout(max(0.0, min(LOOK_UP_SECONDS, deadline - time.monotonic()))):
            addresses = await rules.look_up(target.host)
    except (OSError, TimeoutError):
        return
    if not all(map(is_public, addresses)):
        raise _about_webhooks([Fault(("url",), _PRIVATE, ("url",))])


def replay_range(value: JsonValue, now: datetime, *, strict: bool) -> Range:
    """Return what is said of a range; to now where no end is named. Raises validation-error."""
    body = _object(value)
    since, until = _moment(body.get("since")), _moment(body.get("until", instant(now)))
    states = body.get("states", list(REPLAYED))
    faults: list[tuple[Path, str]] = []
    if since is None:
        faults.append((("since",), "must be a time like 2026-01-31T08:00:00Z"))
    if until is None:
        faults.append((("until",), "must be a time like 2026-01-31T08:00:00Z"))
    if since is not None and until is not None and until <= since:
        faults.append((("until",), "must be after since"))
    if not isinstance(states, list) or not states:
        faults.append((("states",), "must be an array of one item at least"))
    else:
        faults += _word_faults(("states",), states, STATES)
    _refuse([*faults, *_unknown(body, Range._fields, strict=strict)], nearest(value))
    chosen = states if isinstance(states, list) else []
    return Range(Instant(since or ""), Instant(until or ""), tuple(one for one in STATES if one in chosen))


def _moment(value: JsonValue) -> Instant | None:
    """Return a time (RFC 3339; UTC where it names no zone) as instants are stored, None where it is none."""
    if not isinstance(value, str) or len(value) < len("2026-01-31"):
        return None
    try:
        read = datetime.fromisoformat(value)
        return instant(read if read.tzinfo else read.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
