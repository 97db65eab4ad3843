"""What lives as long as the application, opened in order and closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final, TypedDict

import structlog
from starlette.applications import Starlette

from app.auth.cache import BoundedCache
from app.auth.credentials import REMEMBERED_SECONDS, Authenticator
from app.auth.issuer import AUDIENCE, TokenIssuer
from app.auth.key_ring import ALGORITHM
from app.auth.outside import outside_issuers
from app.auth.remembered import RememberedCallers
from app.auth.signing import SEALED_CURE, SealedKey, SigningKeys
from app.auth.standing import Standings
from app.auth.tokens import Issuer, TokenVerifier
from app.graphql.persisted import open_documents
from app.jobs.runner import running_jobs
from app.jobs.works import WORKS
from app.limits.limiter import open_limiter
from app.observe.exposition import publishing
from app.observe.logs import AccessLog
from app.observe.metrics import Metrics
from app.observe.workers import open_workers
from app.rest.listed import open_renderings, renderings_of_rest
from app.settings import Settings
from app.state import State
from app.webhooks.service import WebhookService, open_outbox, sending
from resolvers.audit import Audit
from resolvers.context import Services, utc_now
from resolvers.cursors import CursorCipher
from resolvers.deprecation import Deprecations
from schema.build import GatewaySchema, SchemaOptions, build_schema
from schema.limits import DocumentLimits
from storage.deadlines import wire_deadline
from storage.errors import StoreError
from storage.store import Store, StoreOptions, open_store

if TYPE_CHECKING:  # it imports OpenTelemetry, which is there only where traces are wanted
    from app.observe.traces import Traces

_START_SECONDS: Final = 30.0
_INDEXING_SECONDS: Final = 1800.0
"""How long a start waits for the store, and for the indexes of a large store that has none."""
_NO_STORE: Final = "The store does not answer. Is MongoDB running as a replica set, and GATEWAY_MONGODB_URL right?"
_REMEMBERED: Final = 10_000
"""How many keys and tokens are remembered for their seconds."""

Lifespan = Callable[[Starlette], AbstractAsyncContextManager["LifespanState"]]


class LifespanState(TypedDict):
    """What the lifespan gives to every request."""

    gateway: State


def lifespan_of(
    settings: Settings,
    audit: Audit,
    traces: Traces | None,
    log: AccessLog,
    metrics: Metrics,
    deprecations: Deprecations,
) -> Lifespan:
    """Return the lifespan of a gateway with these settings."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[LifespanState]:
        async with (
            _ended_last(traces),
            open_store(_store_options(settings, traces)) as store,
            outside_issuers(settings) as outside,
            open_limiter(settings, store.quotas) as limiter,
            open_documents(settings) as documents,
            open_workers(settings.metrics_folder) as workers,
            open_outbox(settings) as outbox,
            open_renderings(settings.render_cache) as rendered,
        ):
            cipher = await _started(settings, store)
            issuer = _issuer(settings, store)
            due = asyncio.Event()
            authenticator = _authenticator(store, _tokens(issuer, outside))
            services = Services(
                store,
                cipher,
                utc_now,
                settings.us_address_rules,
                settings.request_timeout,
                begun=due.set,
                renderings=rendered,
                audit=audit,
                webhooks=outbox.rules,
            )
            async with running_jobs(services, WORKS, due) as jobs:
                state = State(
                    settings,
                    store,
                    services,
                    authenticator,
                    issuer,
                    limiter,
                    _schema(settings, deprecations),
                    documents,
                    log,
                    metrics,
                    workers,
                    deprecations,
                    Standings(authenticator),
                    jobs,
                    renderings_of_rest(rendered),
                )
                service = WebhookService(store, outbox.endpoints, outbox.signer, utc_now, metrics.webhooks)
                async with publishing(state), sending(service):
                    yield {"gateway": state}

    return lifespan


@asynccontextmanager
async def _ended_last(traces: Traces | None) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if traces is not None:
            await traces.close()


def _store_options(settings: Settings, traces: Traces | None) -> StoreOptions:
    if settings.mongodb_url is None:
        raise RuntimeError("GATEWAY_MONGODB_URL is not set; `gateway serve` starts an embedded MongoDB.")
    return StoreOptions(
        settings.mongodb_url,
        settings.mongodb_database,
        settings.mongodb_driver,
        settings.request_timeout,
        settings.gather,
        traces,
    )


async def _started(settings: Settings, store: Store) -> CursorCipher:
    """Wait for the store and its indexes, and see that tokens can be signed; say what is wrong where that fails."""
    try:
        with wire_deadline(_START_SECONDS):
            await store.ping()
            cipher = CursorCipher(await store.secret("cursors"))
            await _issuer(settings, store).signing.check()
        with wire_deadline(_INDEXING_SECONDS):
            await store.ensure_indexes()
    except StoreError:
        structlog.get_logger().error(_NO_STORE)
        raise
    except SealedKey as error:
        structlog.get_logger().error(f"The gateway could not sign tokens: {error}; {SEALED_CURE}.")
        raise
    return cipher


def _issuer(settings: Settings, store: Store) -> TokenIssuer:
    signing = SigningKeys.of(store.signing_keys, utc_now, settings.store_secret)
    url = settings.public_url or settings.local_url()
    return TokenIssuer(url, settings.jwt_audience or AUDIENCE, store.keys, signing, utc_now)


def _tokens(own: TokenIssuer, outside: tuple[Issuer, ...]) -> TokenVerifier:
    """Return what verifies the gateway's own tokens, and those of the issuer that is set."""
    ours = Issuer(own.url, own.audience, (ALGORITHM,), own.signing, own.caller)
    return TokenVerifier((ours, *outside), utc_now, BoundedCache(maxsize=_REMEMBERED))


def _authenticator(store: Store, tokens: TokenVerifier) -> Authenticator:
    known = RememberedCallers(REMEMBERED_SECONDS, _REMEMBERED)
    return Authenticator(store.keys, utc_now, known, tokens, BoundedCache(maxsize=_REMEMBERED))


def _schema(settings: Settings, deprecations: Deprecations) -> GatewaySchema:
    limits = DocumentLimits(
        document=settings.graphql_max_document,
        tokens=settings.graphql_max_tokens,
        depth=settings.graphql_max_depth,
        aliases=settings.graphql_max_aliases,
        directives=settings.graphql_max_directives,
        root_fields=settings.graphql_max_root_fields,
        cost=settings.graphql_max_cost,
    )
    options = SchemaOptions(limits, settings.introspection, settings.graphql_plans, deprecations)
    return build_schema(options)
