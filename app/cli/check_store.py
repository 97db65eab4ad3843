"""What `gateway check` finds in the store: server, replica set, clock, disk, indexes, keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from app.cli.check_webhooks import check_webhooks
from app.cli.finding import Finding
from app.settings import Settings
from resolvers.context import utc_now
from storage.errors import StoreError
from storage.facts import ServerFacts, server_facts
from storage.keys import KeyRecord
from storage.renewal import has_older_keys
from storage.store import Store

_OLDEST: Final = (6, 0)
_CLOCK_WARNING, _CLOCK_BAD = 2.0, 60.0
"""Seconds that two clocks may differ; tokens are taken with 60 seconds of leave."""
_FREE_WARNING: Final = 0.15
"""The part of the store's disk that should be free."""
_NAMED: Final = 5
"""How many missing indexes are named; a new store misses all."""
_GIB: Final = 1024**3
FREE_BYTES: Final = _GIB
"""How much of a disk must be free, however large it is."""


async def check_store(store: Store, settings: Settings) -> list[Finding]:
    """Look at the store: does it answer, is it a replica set, has it room, indexes, keys; can this gateway sign."""
    try:
        facts = await server_facts(store)
        missing = await store.missing_indexes()
        older = await has_older_keys(store)
        keys = await store.keys.list()
        signing = await _signing(store, settings)
        webhooks = await check_webhooks(store, utc_now())
    except StoreError:
        cure = "is MongoDB running as a replica set, and GATEWAY_MONGODB_URL right?"
        return [Finding("store", "bad", "no primary answers", cure)]
    return [*check_server(facts), _indexes(missing, older=older), _keys(keys), signing, webhooks]


def check_server(facts: ServerFacts) -> Iterator[Finding]:
    """Look at what the server says of itself."""
    yield Finding("store", "good", "a primary answers")
    yield _version(facts)
    yield _replica_set(facts)
    yield _clock(facts)
    if facts.free is not None and facts.total:
        yield _disk(facts.free, facts.total)


def _version(facts: ServerFacts) -> Finding:
    version = ".".join(map(str, facts.version))
    if facts.version < _OLDEST:
        return Finding("version", "bad", f"MongoDB {version}", "upgrade it to 6.0 or newer")
    return Finding("version", "good", f"MongoDB {version}")


def _replica_set(facts: ServerFacts) -> Finding:
    if facts.replica_set is None:
        cure = "start mongod with --replSet rs0, run rs.initiate() once, and add replicaSet=rs0 to GATEWAY_MONGODB_URL"
        return Finding("replica set", "bad", "the server is in none, so nothing can be erased", cure)
    return Finding("replica set", "good", facts.replica_set)


def _clock(facts: ServerFacts) -> Finding:
    off = abs(facts.ahead)
    if off < _CLOCK_WARNING:
        return Finding("clock", "good", "as the store's")
    found = f"the store's is {off:.0f} s {'ahead of' if facts.ahead > 0 else 'behind'} this machine's"
    return Finding("clock", "bad" if off >= _CLOCK_BAD else "warning", found, "let both follow NTP")


def _disk(free: int, total: int) -> Finding:
    found = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if free < FREE_BYTES:
        return Finding("store's disk", "bad", found, "give it more, or MongoDB stops taking writes")
    state = Finding("store's disk", "warning", found, "give it more soon")
    return state if free / total < _FREE_WARNING else Finding("store's disk", "good", found)


def _indexes(missing: list[str], *, older: bool = False) -> Finding:
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        found = f"missing: {', '.join(missing[:_NAMED])}{more}"
        return Finding("indexes", "warning", found, "gateway indexes makes them, and so does the next start")
    if older:
        found = "some customers are found only as an older version found them"
        return Finding("indexes", "warning", found, "gateway reindex, once every gateway has the new version")
    return Finding("indexes", "good", "all stand")


def _keys(keys: list[KeyRecord]) -> Finding:
    usable = [key for key in keys if key.works(datetime.now(UTC))]
    if usable:
        return Finding("keys", "good", f"{len(usable)} of {len(keys)} work")
    found = f"none of {len(keys)} works: they have expired or were revoked" if keys else "there is none"
    return Finding("keys", "warning", found, "gateway keys create --name … --scope customers:read")


async def _signing(store: Store, settings: Settings) -> Finding:
    from app.auth.signing import SEALED_CURE, SealedKey, SigningKeys

    subject = "signing keys"
    try:
        await SigningKeys.of(store.signing_keys, utc_now, settings.store_secret).check()
    except SealedKey as error:
        return Finding(subject, "bad", str(error), SEALED_CURE)
    if settings.mongodb_url and not settings.store_secret:
        return Finding(subject, "warning", "they lie unsealed in the store", "set GATEWAY_STORE_SECRET")
    return Finding(subject, "good", "this gateway can sign")
