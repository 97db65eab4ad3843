"""What OpenAPI says of each operation of REST, in Markdown; scope and the other door are added there."""

from __future__ import annotations

from typing import Final

from resolvers.batches import MAX_ITEMS

_CHANGE: Final = """\
Send `If-Match` with the `ETag` of what your change was made from: of several clients that race with one ETag exactly \
one wins, the others get 412 with the present ETag and the fields that differ. `If-Match: *` changes whatever is \
there. `resource=false`, or `Prefer: return=minimal`, answers `id` and `updatedAt` alone, as every change \
does without the scope `customers:read`; `dryRun=true` checks everything and stores nothing. A change that makes no \
difference stores nothing, and the ETag stays."""
_PATCH: Final = """\
Three media types are read: `application/merge-patch+json` (RFC 7396) and plain `application/json`, where what is sent \
replaces, `null` takes away and what is absent stays; and `application/json-patch+json` (RFC 6902), whose operations \
are done all or not at all."""
_PAGES: Final = """\
**Pages.** `page` and `size` count pages from 1. To read all of a large list, start with an empty `cursor=` instead, \
and go on with each answer's `Next-Cursor`: it costs the same at any depth, and customers that come and go meanwhile \
make it neither miss nor repeat others. `Link` has the addresses of the pages around, ready to be used.

**Which customers.** Parameters such as `city` and `createdAfter` must all hold; text is compared without case. `q` \
finds words by their beginnings, without accents. `filter` takes OData: `eq ne gt ge lt le in`, `and or not`, \
`startswith`, `contains`, `any`.

**Order.** `sort=lastName,asc&sort=createdAt,desc`, or `sort_by=+lastName,-createdAt`, or \
`sort_fields=lastName&sort=asc`. By `createdAt` where nothing is said; the id decides between equals.

**Cost.** `totalElements` is counted for each page: `count=none` leaves it out. `fields` makes answers smaller."""

_MANY: Final = """\
`results` come in the order of what was sent, each with `status`, and with `etag` or `problem`. \
`Prefer: return=representation` adds the customers. The body may have 16 MiB. Each operation costs what it costs by \
itself. Where the time is over before all are done, those not begun are 503 with `outcome` none. `dryRun=true` checks \
everything and stores nothing."""

WEBHOOKS: Final = {
    "createWebhook": """\
Events from then on are sent to `url`, signed by Standard Webhooks with the `secret` of the answer, which nothing \
shows again. `url` is `https` and leads to the public Internet: private networks, this machine and credentials in it \
are 422. Without `types` all events are sent. It belongs to your credentials, and ends with them. 100 at most (409).""",
    "listWebhooks": "All webhooks of your credentials, the oldest first. There are 100 at most, so there are no pages. "
    "Those of others are not shown.",
    "getWebhook": "What it sends, and where to; its secret is not shown. Where `enabled` is false, `disabledReason` "
    "says why. One of somebody else is 404, as one that does not exist.",
    "updateWebhook": f"""\
`enabled` true lets a webhook that was disabled go on; events of the time between are not sent, and those that \
had waited are. A new `url` is checked as at the creation. {_PATCH} `dryRun=true` stores nothing.""",
    "deleteWebhook": "Nothing more is sent, whatever waits, and the log is forgotten. A second `DELETE` is 404. To "
    "stop for a while, change `enabled` to false instead.",
    "rotateWebhookSecret": "Deliveries are signed with the new secret at once, and for 24 hours with the old one too, "
    "so a receiver that knows either takes them. The answer shows the new secret; nothing shows it again.",
    "testWebhook": "Lets an event of the type `webhook.test` be sent, whatever types the webhook asks for, and answers "
    "its delivery. Read the log a moment later to see how the endpoint has answered.",
    "listWebhookDeliveries": """\
The log: each event with its state, its tries, their answers and what went wrong. The newest events come first; a \
delivery stays 30 days after its last try. `Next-Cursor` leads to the next page. `state=failed` lists what was given \
up after ten tries in three days.""",
    "replayWebhookDelivery": "It is sent again at once, whatever became of it before, with the event's own id, and "
    "with all its tries before it. A receiver that keeps ids takes it only once.",
    "replayWebhookDeliveries": "All deliveries of events from `since` to before `until` are sent again, those that "
    "`failed` if `states` does not say others. The answer tells how many; `dryRun=true` only counts them.",
}
DESCRIPTIONS: Final = {
    "listCustomers": _PAGES,
    "searchCustomers": """\
The same as `GET /api/v1/customers`, for questions that are too long for an address. The members of the body are the \
parameters of the list, with their spellings; `sort` may be a list of texts. There are no simple filters: say them in \
`filter`. Nothing is changed, so it may be repeated at will.""",
    "createCustomer": """\
The server makes `id`, `createdAt` and `updatedAt`; sent along they are ignored. At least one address and one phone \
number are needed, and an `email` that no other customer has, however written (else 409). What is not valid is 422 \
with every fault at once, each with its place as a JSON Pointer. Text is trimmed and kept in Unicode NFC.

`Location` is the address of the new customer, `ETag` what its first change needs. `dryRun=true` answers 200 with what \
would be created. Unknown properties are ignored, or refused under `Prefer: handling=strict`.""",
    "getCustomer": """\
A deleted customer is 410 for 30 days, an id that was never used is 404. `fields` chooses what is answered, and the \
answer then has an ETag of its own. With `If-None-Match` an unchanged customer is 304, without a body; with \
`If-Match` one that has changed is 412.""",
    "replaceCustomer": f"""\
Everything is replaced: send the whole customer, as for a new one. Addresses and phone numbers that are equal to old \
ones, or stand in the same place, keep their ids. To change a part of it, use `PATCH`.

{_CHANGE}""",
    "updateCustomer": f"""\
{_PATCH} A merge patch replaces the list of addresses as a whole; a JSON Patch, or the address's own resource, reaches \
one of them.

{_CHANGE}""",
    "deleteCustomer": """\
The customer is erased at once, with all that told of the person, and cannot be had back. With `If-Match` only that \
version is erased; without it, any. The id is 410 for reading and 404 for a second `DELETE`. `dryRun=true` tells \
whether it would be done.""",
    "batchCustomers": f"""\
Up to {MAX_ITEMS:,} operations, done in their order: two on one customer follow each other. Each keeps the rules of \
the single operation, and needs `ifMatch` where that needs `If-Match`; a `delete` needs the scope `customers:delete`.

With `atomic` true, which is the default, they are one transaction: where one cannot be done nothing is changed, and \
422 `batch-failed` names the failing ones by their `index`, each with its problem. With `atomic` false each is done \
for itself, the answer is 200, and `results` tells what became of each.

{_MANY}""",
    "replaceCustomers": f"""\
Up to {MAX_ITEMS:,} customers, each replaced for itself as `PUT` of the single one does. The customer stands in \
`customer`, or with its members beside `id` and `ifMatch`.

{_MANY}""",
    "updateCustomers": f"""\
Up to {MAX_ITEMS:,} changes, each made for itself as `PATCH` of the single customer does. `patch` is a merge patch \
where it is an object, and a JSON Patch where it is an array.

{_MANY}""",
    "deleteCustomers": """\
Erases every customer that the filters find, as `DELETE` of each would: a list with the same parameters shows them \
before. Without any filter it needs `confirm=all`. Up to 1,000 are erased at once, and the answer is 200 with their \
number; more of them are erased by an operation, which is the 202. `dryRun=true` counts them. Customers who are made \
after the request stay.""",
    "importCustomers": """\
The body is a file of any size with one customer in each line: NDJSON (`application/x-ndjson`) or CSV (`text/csv`, the \
first line names the columns; `gateway template` prints one). It is stored as it comes, and the answer is 202 with the \
operation that imports it. Each line is checked as a request of its own would be: what is wrong with one is told by \
its number, and the others are stored. `id`, `createdAt` and `updatedAt` are made here. A line may have 1 MiB. \
`dryRun=true` checks every line and stores nobody; `Prefer: handling=strict` refuses unknown properties.

What was sent is deleted when the operation has ended.""",
    "exportCustomers": """\
All customers, or those that the filters find, one in each line, in the order of creation: NDJSON by default, CSV for \
`Accept: text/csv` or `format=csv`. An import of it makes the same customers, with new ids. Customers who stay \
meanwhile are all there, each as it was when it was read. Should the store fail in the middle, the connection is cut \
before the last chunk: a client of HTTP/1.1 that reads to the end knows that it has all.""",
    "getRefusedLines": """\
All lines that an import refused, in their order, each with its number and the problem that a request of its own would \
have had. There are no values of the lines in it. While the import is running, those that are known so far.""",
    "getOperation": """\
Only the caller that began it can read it; for anybody else it is 404. While it is `running`, `Retry-After` says when \
to ask again; it ends as `succeeded`, `failed` or `cancelled`, and can be read for seven days after that. `done` of \
`total` are done (`total` is null until it is known), `failed` of them were refused, `counts` says what became of all. \
`errors` tells the first 100.""",
    "listOperations": """\
The newest 50 that this caller began, the newest first: the way to find one whose 202 was lost. Ended ones are listed \
for seven days.""",
    "cancelOperation": """\
It ends after what is being done at this moment, within seconds; what is done stays done. `cancelRequested` is true \
from then on, and `status` becomes `cancelled`. An operation that has ended stays as it is.""",
    "watchCustomers": """\
A stream of server-sent events (`text/event-stream`) that does not end by itself: `EventSource` in browsers, \
`curl -N` elsewhere. Each event has an `id`, the `event` type and, as `data`, an Event: which customer, which version, \
which parts changed, and no value of them. Those of one customer come in the order of its versions.

**Resuming.** Open it again with `Last-Event-ID`, and nothing is missing and nothing doubled; comments that keep the \
connection carry an `id` too. 410 `history-lost` tells that the store does not keep what came after that event.

**Ends.** `event: problem` tells why a stream ends: credentials that are not good any more, a reader that is too slow. \
`event: reconnect` comes when the gateway stops: open it again, at another one. `HEAD` answers the head alone.""",
    "getViewer": """\
The first thing to ask with new credentials: it shows that they work, which scopes they have, and how much of each \
limit is left. It costs one unit as any `GET` does.""",
    "getNotificationPreferences": "All four channels, each true or false.",
    "replaceNotificationPreferences": f"All four channels must be sent.\n\n{_CHANGE}",
    "setNotificationPreferences": f"Only the channels that are sent change: `{{\"sms\": true}}`. {_PATCH}\n\n{_CHANGE}",
    **WEBHOOKS,
}  # fmt: skip
"""Those of customers, preferences, the viewer and webhooks, by the operation's name."""


def part_descriptions(noun: str, plural: str) -> dict[str, str]:
    """Return what is said of the parts of a customer, by what is done to them."""
    return {
        "list": f"All {plural}, in their order, each with the id that it keeps for good. There are 50 at most, so "
        "there are no pages.",
        "add": f"It comes last in the list; `Location` is its own address. `If-Match` is honoured where it is sent. A "
        f"customer has 50 {plural} at most (422).",
        "get": f"The ETag is that of the whole customer: a change of another {noun} changes it too.",
        "replace": f"All of its properties are replaced; the id stays.\n\n{_CHANGE}",
        "update": f"{_PATCH}\n\n{_CHANGE}",
        "remove": f"The last {noun} cannot be removed (422). With `If-Match` only from that version of the customer.",
        "replaceAll": f"The list is replaced as a whole, with 1 to 50 {plural}. One that is equal to an old one, or "
        f"stands in the same place, keeps its id.\n\n{_CHANGE}",
        "updateAll": f"A JSON Patch reaches into the list: `/0` is the first, `/-` is after the last. As "
        f"`application/json` or a merge patch a whole new list is sent.\n\n{_CHANGE}",
        "clear": f"Always refused with 422, and here only so that it is said: a customer keeps one {noun} at least. "
        "Remove single ones, or replace the list.",
    }
