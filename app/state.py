"""What lives as long as the application: made in the lifespan, held by the ASGI state."""

from __future__ import annotations

from dataclasses import dataclass

from app.auth.credentials import Authenticator
from app.auth.issuer import TokenIssuer
from app.auth.standing import Standings
from app.graphql.persisted import PersistedDocuments
from app.jobs.runner import Runner
from app.limits.limiter import Limiter
from app.observe.logs import AccessLog
from app.observe.metrics import Metrics
from app.observe.workers import Workers
from app.settings import Settings
from resolvers.context import Services
from resolvers.deprecation import Deprecations
from resolvers.renderings import Renderings
from schema.build import GatewaySchema
from storage.store import Store


@dataclass(frozen=True, slots=True)
class State:
    """The open store, the services over it, and what the doors share."""

    settings: Settings
    store: Store
    services: Services
    authenticator: Authenticator
    issuer: TokenIssuer
    limiter: Limiter
    graphql: GatewaySchema
    documents: PersistedDocuments
    log: AccessLog
    metrics: Metrics
    workers: Workers
    deprecations: Deprecations
    standings: Standings
    jobs: Runner
    listed: Renderings | None
    """What REST's lists show of customers, where that is kept."""
