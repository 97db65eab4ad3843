"""What experienced reviewers check at a gateway, in short: numbered statements in groups, and remarks on some.

A test that proves a statement carries its number behind `c`, or behind the letter of its group: `test_c028_…`,
`test_m106_…`. When tests are named, docs/conformance.md is made anew by tests/contract/conformance.py.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Group(NamedTuple):
    """Statements of one subject: its letter, its name with the sources, the statements in the order of numbers."""

    letter: str
    subject: str
    statements: tuple[str, ...]


GROUPS: Final = (
    Group(
        "A",
        "Errors (RFC 9457, RFC 9110)",
        (
            "Every failure of REST is a problem in `application/problem+json`",
            "The `status` of a problem is that of HTTP, and its `type` is a URI",
            "Title by type, `detail` with what to do, `instance` the path, `requestId` that of the log",
            "Extension members have names of letters and digits; each fault of the input has a pointer that resolves",
            "No answer tells of stacks, files, libraries, hosts, collections or queries",
            "405 with `Allow` where the path is known, 404 where it is not, and `OPTIONS` says the same",
            "401 challenges with `Bearer`, and says `invalid_token` only where a token came; 403 never challenges",
            "Types that are not read are 415, types that cannot be given are 406; errors are told whatever is accepted",
            "The same bad input has the same `type` and `code` at both doors",
            "Generated bad requests are never answered with 500",
        ),
    ),
    Group(
        "B",
        "HTTP and JSON input (RFC 9110, 9112, 8259)",
        (
            "A body over the limit is 413 before it is read in full, by its length and by its counted chunks",
            "A head over 16 KiB or 100 fields is 431, a URI over 2,000 characters is 414",
            "Heads that do not come and bodies that come too slowly end with 408, and hold up nobody else",
            "JSON that is too deep, not UTF-8, cut, no object, or has doubled keys or bad numbers is refused by kind",
            "U+0000 is refused wherever it stands; all other text returns byte for byte",
            "CR, LF and U+0000 in what is echoed make no header",
            "Tricks with paths are 400 or 404, as problems",
            "Requests of two lengths, bad white space or bare line feeds are 400, and the connection is closed",
            "`HEAD` is `GET` without its body; 204 and 304 have none",
            "Compressed bodies are 415, so none can be a bomb",
        ),
    ),
    Group(
        "C",
        "Conditional requests (RFC 9110 §13, RFC 6585)",
        (
            "Every single resource has a strong ETag, which changes with what is shown, and only then",
            "`If-None-Match` on `GET` and `HEAD` gives 304, compared weakly, with lists and `*`",
            "`If-Match` compares strongly, with lists and `*`",
            "`PUT` and `PATCH` without `If-Match` are 412, and the problem says that it is missing",
            "`If-None-Match: *` on a change of what is there is 412",
            "Caller, existence, `If-Match`, `If-None-Match`, body: checked in this order; a refusal changes nothing",
            "A change that is sent again with its old tag makes no second change",
            "Of 64 parallel changes with one tag one is made, and no update is lost",
            "`DELETE` with a stale tag is 412; a second `DELETE` always answers the same",
            "Each representation and each selection of fields has a tag of its own",
        ),
    ),
    Group(
        "D",
        "Idempotency keys (IETF draft)",
        (
            "A key is a string in quotes or visible ASCII; two of them, or a malformed one, are 400",
            "Where a key is required, a request without one is 400",
            "The same key with the same request answers the same again, and says so",
            "The same key with another request is 422, also through the other door",
            "The same key while the first request still runs is 409, with the time to come again",
            "A key is kept for a day, and no longer",
            "A key belongs to its caller; with another caller it is another key",
            "The form of a key is checked before anything is asked with it",
            "Input that is refused leaves its key free",
            "Only final outcomes are kept: no 429, no 503, nothing unknown",
            "The change and its outcome are written in one transaction",
            "The key of a worker that died is taken over after a lease",
            "Mutations of GraphQL and lines of a batch have the same",
            "Of many at once with one key one has an effect, over gateways, restarts and kills",
        ),
    ),
    Group(
        "E",
        "Rate limits and quotas (RFC 6585, IETF draft RateLimit)",
        (
            "Over the limit is 429 with `Retry-After`, and the request after it passes",
            "`RateLimit` and `RateLimit-Policy` are Structured Fields that fit each other",
            "`Retry-After` and the `t` of `RateLimit` mean the same moment",
            "Of several limits the one with the least left is shown",
            "Those who are refused together come back spread",
            "Who is refused, or has no credentials, spends nothing of others and sees nothing of theirs",
            "GraphQL is charged by its cost, and shows it",
            "Workers and gateways keep one limit together, whatever is claimed in headers",
            "When the place where limits are counted is away, the documented choice holds and is logged",
            "Bad credentials are limited by address, and an unknown id costs what a known one does",
        ),
    ),
    Group(
        "F",
        "Credentials and tokens (RFC 6750, 8725, 9068)",
        (
            "Tokens without a signature, or of an algorithm that is not listed, are 401",
            "A token's key is found by issuer and `kid` alone; addresses and keys in its header are never used",
            "Issuer, audience and expiry must be right; tokens from the future are 401",
            "Tokens of other types, such as ID tokens, are 401",
            "Unknown `crit`, encrypted and nested tokens are 401",
            "60 seconds of difference between the clocks are allowed, no more",
            "New and removed keys of the issuer, and its outages, are followed with few fetches and no 500",
            "The scopes in the documentation are those that each operation asks for, at both doors",
            "Keys are kept as hashes, shown once, and recognised by prefix and check digits",
            "The time of a comparison tells nothing of a secret",
            "Credentials in the query are not read; the token endpoint forbids to store, and says `invalid_client`",
            "Revoked credentials end within 5 seconds, open streams included",
        ),
    ),
    Group(
        "G",
        "Authorization (OWASP API Security 1, 3, 5)",
        (
            "What belongs to one caller is to another as if it did not exist",
            "What the server makes, operators and unknown members are never stored from a body",
            "Fields beyond a scope are shown nowhere",
            "Fields beyond a scope can be neither filtered nor sorted by",
            "No method, header or parameter makes another operation of a request",
            "A cursor is good for its own question alone, and none can be altered",
        ),
    ),
    Group(
        "H",
        "GraphQL over HTTP",
        (
            "`POST` of JSON is answered; without `Content-Type` it is refused",
            "`application/graphql-response+json` is spoken, and assumed where nothing is said",
            "With that type: without `data` 400, with `data` 200",
            "With `application/json`: a well-formed request is 200, another is 400",
            "A mutation by `GET` is 405, and nothing is executed",
            "An `Accept` that cannot be met is 406",
            "Bodies that a form can send are refused",
            "All 61 audits of graphql-http pass",
        ),
    ),
    Group(
        "I",
        "Limits of GraphQL (OWASP)",
        (
            "Depth, aliases, directives, tokens, root fields, sizes: each limit passes, is a setting, and refuses more",
            "Every check is linear: fragments that double are refused at once",
            "Pages have 1 to 100 items, 25 where nothing is said; contradictions are refused",
            "The cost is checked before anything is read, shown, and documented by its formula",
            "What is accepted stays within time, memory and size",
            "No batches; cycles and documents of great depth or width are refused at once",
            "Where introspection is closed, nobody finds the schema by other ways",
            "What goes wrong inside is told as an id, without its text",
            "A page of 100 with its nested parts takes at most three calls of the store",
            "Persisted documents: an unknown hash is 400, and in trusted mode free text is 403",
        ),
    ),
    Group(
        "J",
        "Connections, pages, links, preferences (Relay, RFC 8288, RFC 7240)",
        (
            "Connections have edges, cursors and right `pageInfo`; a size of 0 is refused",
            "A walk meets everyone once and in order, while others write",
            "`Link` leads to the next page unchanged, and the last page has none",
            "`Prefer: return=minimal` gives the short answer, and `Preference-Applied` tells what was kept",
            "A page by cursor costs the same at any depth",
        ),
    ),
    Group(
        "K",
        "Versions and retirement (RFC 8594, RFC 9745)",
        (
            "`Deprecation` is a Structured Date, with a link to read more",
            "`Sunset` is a date of HTTP; from then on it is 410",
            "Nothing that OpenAPI and the GraphQL schema promise is broken within a version",
        ),
    ),
    Group(
        "L",
        "Subscriptions and server-sent events",
        (
            "Sockets are closed with the codes of `graphql-transport-ws`",
            "Operations, messages and the time of a socket to begin are bounded",
            "Sockets from other sites are refused",
            "Events have ids, and a stream goes on after the last one without loss or double",
            "A reader that is too slow is cut off, and can go on where it was",
            "An event comes within a quarter of a second, and within seconds of a failover",
            "The scope is checked with each event, not only at the beginning",
        ),
    ),
    Group(
        "M",
        "Webhooks (Standard Webhooks)",
        (
            "Id, time and signature are as Standard Webhooks has them, and its own verifier takes them",
            "Each webhook has a secret of its own, and what is signed is what is sent",
            "Only 2xx is success, redirects are not followed, 410 disables, `Retry-After` is kept",
            "It is tried again with growing pauses over three days",
            "A body is small, and has type, time and data",
            "Private addresses are never connected to, however they are written or change",
            "An endpoint that was away for a day gets everything afterwards",
            "A dead endpoint holds up nobody else",
            "Failures are listed, and one or many can be sent again",
        ),
    ),
    Group(
        "N",
        "The store (MongoDB)",
        (
            "Writes are acknowledged by a majority, whatever the address says, and outcomes are told truly",
            "Every call of the store ends within the time of its request",
            "What a client sends is never an operator, a pipeline or a key",
            "No regular expression comes from a client, and none burns time",
            "mongod runs without scripting, with passwords, and the gateway has no rights beyond its documents",
            "Each line of a batch has its own outcome, in order, and none is left out",
        ),
    ),
    Group(
        "O",
        "Logs, health, running (OWASP API Security 8 to 10)",
        (
            "Every line of the log is one JSON object, whatever is sent",
            "Nothing of a person and no secret is in logs, traces or metrics",
            "A request writes at most 2 kB of log",
            "Live while the process works; ready only with a store, told within 2 seconds",
            "SIGTERM ends running work well, tells streams to reconnect, and a rolling restart loses no request",
            "Headers for browsers and caches are set, and other origins are let in only from a list",
            "Every route is described, and nothing else answers",
        ),
    ),
)

BESIDE: Final = {
    10: "`make fuzz` sends a million, of Schemathesis and hypothesis-graphql too",
    13: "`make slow` measures what 1,000 such clients cost the others",
    32: "A key is never required, so none can be missing",
    44: "At a smaller size; `make faults` sends 1,000 keys, 200 requests at a time, and kills the primary meanwhile",
    52: "`make bench-limits` measures how exactly",
    54: "By what the store is asked, not by time",
    64: "`make bench-attacks` measures it by 12,000 guesses, compared by Welch's t",
    69: "The fields beyond a scope are those of a changed customer, for who may write and not read",
    70: "A scope allows operations as a whole: who may read a customer may read all of it, so no field is hidden",
    85: "`make bench-attacks` measures time and memory",
    92: "While 500 writes are made, not 1,000 a second",
    98: "There is no tag yet to compare with; `make judges` says so",
    103: "What it costs others is not measured",
    104: "`make faults` measures how late events come",
    113: "What it costs others is not measured as a time",
    115: "`make faults` counts it over kills, stops, cuts and full disks",
    119: "Of the embedded mongod; `$out` is not taken away",
    124: "`make faults` measures the time until writes are acknowledged again",
    127: "By the routes of the application, not by guessed addresses",
}
"""What is measured beside the tests, and what they leave open."""
