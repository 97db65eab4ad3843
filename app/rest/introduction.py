"""What OpenAPI says at its top, and of each group of operations."""

from __future__ import annotations

from typing import Final

TAGS: Final = {
    "Customers": "Whole customers, each one document: created, listed, searched, read, changed, erased.",
    "Addresses": "The addresses of one customer, 1 to 50, each with an id and an address of its own.",
    "Phone numbers": "The phone numbers of one customer, 1 to 50, each with an id and an address of its own.",
    "Notification preferences": "Which channels a customer accepts: e-mail, SMS, push, mail.",
    "Operations": "What goes on after its request was answered by 202: how far it is, what came of it, how to end it.",
    "Events": "Changes of customers as they happen, as server-sent events that can be resumed.",
    "Webhooks": "Events sent to your own addresses as they happen, signed; and the log of what became of them.",
    "Viewer": "Who the credentials belong to, what they allow, what is left of their limits.",
    "GraphQL": "The other door to the same operations. The playground at `/graphql` shows its schema.",
    "OAuth": "Access tokens for API keys, and what verifies them. Public.",
    "Gateway": "The gateway itself: health, documents, problems, all public; and metrics.",
    "Pages": "What a browser shows: home, documentation, playground. Public.",
}
INTRODUCTION: Final = """\
One customer with its addresses and phone numbers is one document, behind two doors: this REST API and GraphQL at \
[`/graphql`](/graphql). Both run the same operations; an ETag read at one is good at the other.

```
curl -H "X-API-Key: $KEY" "https://api.example.com/api/v1/customers?city=Berlin&sort=lastName,asc&size=10"
```

## Who may

Send one of these with every request to `/api/v1`; **Authorize** on this page fills them in for you:

- an API key as `X-API-Key`, or with its client secret as Basic credentials;
- a token as `Authorization: Bearer`, which `POST /oauth/token` gives for the client id and client secret of a key.

Each operation says which scope it needs: `customers:read`, `customers:write`, `customers:delete`, `customers:admin`. \
Without good credentials the answer is 401, without the scope 403. `GET /api/v1/viewer` shows what yours allow.

## Requests

JSON in UTF-8, 1 MiB at most. Every query parameter is taken in camelCase and in snake_case; an unknown one is refused \
(400, with the nearest name), never ignored. Unknown properties of a body are ignored, or refused (422) under \
`Prefer: handling=strict`. Text is trimmed, kept in Unicode NFC, and holds no control characters. `HEAD` works where \
`GET` does; `OPTIONS`, and every 405, tells the methods of an address in `Allow`.

## Answers

*Plain* by default: a customer is the bare document, a list is `{"content": […], "page": {…}}`. *Enveloped* for \
`Accept: application/json;profile=enveloped`: `{"customer": {…}}`, `{"customers": […], "metadata": {…}}`, \
`{"errors": […]}`. Both are sent as `application/json; charset=utf-8`. Times are UTC to the millisecond, ending in `Z`.

Every answer carries `X-Request-Id` (your own, from `X-Request-Id` or `Request-Id`, or a new one), `API-Version`, \
`Cache-Control` and `Expires`, `Server-Timing`, and `RateLimit` and `RateLimit-Policy` where something is counted.

## Changes

`PUT` and `PATCH` need `If-Match` with the ETag of what was read; without it, or with an old one: 412. `GET` with \
`If-None-Match` answers 304 while nothing has changed, and with `If-Match` 412 once something has. `dryRun=true` \
tries a change without storing it. With an `Idempotency-Key` a change can be sent again for 24 hours without being \
made twice: the first answer comes again, with \
`Idempotent-Replayed: true`.

## Errors

Every refusal is `application/problem+json` (RFC 9457): `type` is the address of [a page](/problems) that says what to \
do, `code` and `type` stay the same for good, `errors` lists every fault of a body with its JSON Pointer, `requestId` \
is in the log. 429 and 503 say in `Retry-After` when to come again. Where a 503 says `"outcome": "none"`, nothing was \
changed; with `"unknown"`, repeat with the same `Idempotency-Key`, or read before you repeat.

## Versions

A new MINOR of `API-Version` only adds: ignore what you do not know. What is to go is told in `Deprecation`, `Sunset` \
and `Link` long before, marked here, and is 410 `retired` from its sunset on.
"""
