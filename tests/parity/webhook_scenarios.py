"""Each operation on webhooks, told once as a request of REST and as a document of GraphQL with the same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from tests.harness import Gateway
from tests.parity.doors import Door, Json, Outcome, RestDoor, problem_outcome

Steps = Callable[[Gateway, Door], Iterator[Outcome]]

_WEBHOOK: Final = "id url types enabled disabledReason previousSecretUntil createdAt updatedAt"
_DELIVERY: Final = (
    "id eventId type timestamp customerId version changed state attempts nextAttemptAt createdAt tries {at}"
)
_URL: Final = "https://hooks.example.com/"
_NOBODY: Final = "5f0c1f5e-7a7b-4f4e-9d65-0f2f3c7f5a11"
_SHOWN: Final = ("id", "url", "types", "enabled", "disabledReason", "type", "state", "attempts", "changed", "replayed")
"""What two runs of one scenario have in common."""


class Ask(NamedTuple):
    """An operation: its request and its field; `{w}` and `{d}` are ids of a webhook and a delivery."""

    method: str
    path: str
    document: str


CREATE: Final = Ask(
    "POST", "", f"mutation($body: CreateWebhookInput!) {{ createWebhook(input: $body) {{ {_WEBHOOK} secret }} }}"
)
LIST: Final = Ask("GET", "", f"{{ webhooks {{ {_WEBHOOK} }} }}")
GET: Final = Ask("GET", "/{w}", f"query($w: ID!) {{ webhook(id: $w) {{ {_WEBHOOK} }} }}")
UPDATE: Final = Ask(
    "PATCH",
    "/{w}",
    f"mutation($w: ID!, $body: UpdateWebhookInput!) {{ updateWebhook(id: $w, patch: $body) {{ {_WEBHOOK} }} }}",
)
DELETE: Final = Ask("DELETE", "/{w}", "mutation($w: ID!) { deleteWebhook(id: $w) { id } }")
ROTATE: Final = Ask(
    "POST", "/{w}:rotateSecret", f"mutation($w: ID!) {{ rotateWebhookSecret(id: $w) {{ {_WEBHOOK} secret }} }}"
)
TEST: Final = Ask("POST", "/{w}:test", f"mutation($w: ID!) {{ testWebhook(id: $w) {{ {_DELIVERY} }} }}")
LOG: Final = Ask(
    "GET",
    "/{w}/deliveries?size=2",
    f"query($w: ID!) {{ webhookDeliveries(webhookId: $w, size: 2) {{ deliveries {{ {_DELIVERY} }} }} }}",
)
REPLAY: Final = Ask(
    "POST",
    "/{w}/deliveries/{d}:replay",
    f"mutation($w: ID!, $d: ID!) {{ replayWebhookDelivery(webhookId: $w, id: $d) {{ {_DELIVERY} }} }}",
)
REPLAY_ALL: Final = Ask(
    "POST",
    "/{w}:replay",
    "mutation($w: ID!, $body: WebhookReplayInput!) { replayWebhookDeliveries(webhookId: $w, input: $body) {replayed} }",
)


def ask(door: Door, what: Ask, body: Json | None = None, **ids: str) -> Outcome:
    """Ask at a door; what is not there is nothing, as both doors say it in their own way for reading."""
    http = door.http  # type: ignore[attr-defined]
    if isinstance(door, RestDoor):
        response = http.request(what.method, "/api/v1/webhooks" + what.path.format(**ids), json=body)
        if what.method == "DELETE" and not response.is_error:
            return Outcome(_plain({"id": ids["w"]}))
        found = response.json()
        if response.status_code == 404 and what is GET:
            return Outcome()
        return problem_outcome(found) if response.is_error else Outcome(_plain(found))
    variables: Json = {**ids, **({"body": _upper(body)} if body is not None else {})}
    answer = http.post("/graphql", json={"query": what.document, "variables": variables}).json()
    if "errors" in answer:
        return problem_outcome(answer["errors"][0]["extensions"])
    return Outcome(_plain(next(iter(answer["data"].values()))))


def _upper(body: Json) -> Json:
    return {**body, **({"states": [one.upper() for one in body["states"]]} if "states" in body else {})}


def _plain(found: Any) -> Any:
    """Return what both doors, and two runs, have in common."""
    if isinstance(found, dict):
        items = found.get("content", found.get("deliveries"))
        if items is not None:
            return _plain(items)
        shown = {name: value for name, value in found.items() if name in _SHOWN}
        return {name: value.lower() if name in {"state", "disabledReason"} and value else value
                for name, value in shown.items()} | {"secret": str(found.get("secret", ""))[:6]}  # fmt: skip
    return [_plain(one) for one in found] if isinstance(found, list) else found


def _made(gateway: Gateway, **more: Any) -> str:
    made = gateway.http.post("/api/v1/webhooks", json={"url": _URL, "enabled": False, **more})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _clean(gateway: Gateway) -> None:
    for one in gateway.http.get("/api/v1/webhooks").json()["content"]:
        gateway.http.delete(f"/api/v1/webhooks/{one['id']}")


def created(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    _clean(gateway)
    yield ask(door, CREATE, {"url": _URL, "types": ["customer.updated", "customer.created"], "enabled": False})
    yield ask(door, CREATE, {"url": "https://127.0.0.1/", "types": ["nothing"]})
    yield ask(door, CREATE, {"url": f"{_URL}all", "enabled": False})
    yield ask(door, LIST)


def read_and_changed(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    webhook = _made(gateway)
    yield ask(door, GET, w=webhook)
    yield ask(door, GET, w=_NOBODY)
    yield ask(door, GET, w="nobody")
    yield ask(door, UPDATE, {"types": ["customer.deleted"]}, w=webhook)
    yield ask(door, UPDATE, {"url": "http://example.com", "types": []}, w=webhook)
    yield ask(door, UPDATE, {"types": ["customer.deleted"]}, w=_NOBODY)
    yield ask(door, ROTATE, w=webhook)
    yield ask(door, ROTATE, w=_NOBODY)
    yield ask(door, DELETE, w=webhook)
    yield ask(door, DELETE, w=webhook)


def logged(gateway: Gateway, door: Door) -> Iterator[Outcome]:
    webhook = _made(gateway)
    url = f"/api/v1/webhooks/{webhook}"
    delivery = gateway.http.post(f"{url}:test").json()["id"]
    yield ask(door, TEST, w=webhook)
    yield ask(door, TEST, w=_NOBODY)
    yield ask(door, LOG, w=webhook)
    yield ask(door, LOG, w=_NOBODY)
    yield ask(door, REPLAY, w=webhook, d=delivery)
    yield ask(door, REPLAY, w=webhook, d=_NOBODY)
    yield ask(door, REPLAY, w=webhook, d="nobody")
    yield ask(door, REPLAY_ALL, {"since": "2026-01-01T00:00:00Z", "states": ["waiting"]}, w=webhook)
    yield ask(door, REPLAY_ALL, {"since": "2026-01-01T00:00:00Z"}, w=webhook)
    yield ask(door, REPLAY_ALL, {"since": "yesterday"}, w=webhook)
    yield ask(door, REPLAY_ALL, {"since": "2026-01-01T00:00:00Z"}, w=_NOBODY)
    _clean(gateway)


SCENARIOS: Final[dict[str, Steps]] = {
    **dict.fromkeys(("createWebhook", "listWebhooks"), created),
    **dict.fromkeys(("getWebhook", "updateWebhook", "rotateWebhookSecret", "deleteWebhook"), read_and_changed),
    **dict.fromkeys(
        ("testWebhook", "listWebhookDeliveries", "replayWebhookDelivery", "replayWebhookDeliveries"), logged
    ),
}
