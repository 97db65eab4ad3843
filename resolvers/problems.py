"""The registry of problems: one list for REST, GraphQL, the problem pages and OpenAPI.

Each has its slug, its number, its one status, its title, what causes it and what cures it.
Source: RFC 9457; CRM API Guidelines, Problem Types; REST API Design Guidelines, Error Handling.
"""

from __future__ import annotations

from typing import Final

from resolvers.problem import ProblemType

# fmt: off
MALFORMED_REQUEST: Final = ProblemType("malformed-request", 1000, 400, "Malformed request",
    "A header, a body or another part of the request does not have the form it must have.",
    "Correct the part that `detail` names and send the request again.")
JSON_SYNTAX: Final = ProblemType("json-syntax", 1001, 400, "Body is not JSON",
    "The body does not follow the grammar of JSON (RFC 8259).",
    "Correct the body at the position that `detail` names.")
JSON_ENCODING: Final = ProblemType("json-encoding", 1002, 400, "Body is not UTF-8",
    "The body is not valid UTF-8 text; UTF-16 and byte order marks are not JSON on the wire.",
    "Encode the body as UTF-8 without a byte order mark.")
JSON_DUPLICATE_KEY: Final = ProblemType("json-duplicate-key", 1003, 400, "Duplicate key in body",
    "An object of the body has the same key twice, so what it means depends on the reader.",
    "Send each key once.")
JSON_TOO_DEEP: Final = ProblemType("json-too-deep", 1004, 400, "Body is nested too deeply",
    "The body nests arrays and objects more than 32 levels deep.",
    "Send a flatter body; no document of this gateway is deeper than four levels.")
JSON_NUMBER: Final = ProblemType("json-number", 1005, 400, "Number out of range",
    "The body holds NaN, Infinity, an integer beyond 64 bits or a number beyond a double.",
    "Send numbers that fit, or text.")
JSON_SURROGATE: Final = ProblemType("json-surrogate", 1006, 400, "Lone surrogate in body",
    "A string of the body holds half a UTF-16 surrogate pair (\\ud800 to \\udfff), which is no character.",
    "Send whole characters.")
JSON_TRAILING_DATA: Final = ProblemType("json-trailing-data", 1007, 400, "Data after the body's JSON",
    "After the JSON value the body goes on.",
    "Send one JSON value.")
EMPTY_BODY: Final = ProblemType("empty-body", 1008, 400, "Body is empty",
    "The operation needs a JSON body and none was sent.",
    "Send the body that the documentation of the operation shows.")
WRONG_TOP_LEVEL: Final = ProblemType("wrong-top-level", 1009, 400, "Body is not the expected kind of JSON",
    "The body's top level is, say, a number or null where an object or an array is needed.",
    "Send what `detail` names.")
INVALID_ID: Final = ProblemType("invalid-id", 1010, 400, "Identifier is not a UUID",
    "An identifier in the path or the arguments is not a UUID.",
    "Use the `id` as the gateway gave it.")
UNKNOWN_PARAMETER: Final = ProblemType("unknown-parameter", 1011, 400, "Unknown query parameter",
    "The query string has a parameter that this operation does not know; nothing is ignored silently.",
    "Use the parameter that `detail` proposes, or leave it out.")
INVALID_PARAMETER: Final = ProblemType("invalid-parameter", 1012, 400, "Invalid query parameter",
    "A query parameter or argument has a value outside what it may have.",
    "Correct the value as `detail` says.")
INVALID_CURSOR: Final = ProblemType("invalid-cursor", 1013, 400, "Invalid cursor",
    "The cursor was altered, or belongs to another list, order or filter.",
    "Start again without a cursor, and pass cursors on as they came.")
INVALID_PATCH: Final = ProblemType("invalid-patch", 1014, 400, "Malformed JSON Patch",
    "The body is no JSON Patch document (RFC 6902).",
    "Send an array of operations, each with op, path and what the op needs.")
INVALID_FILTER: Final = ProblemType("invalid-filter", 1015, 400, "Invalid filter",
    "A filter or a search cannot be read, or asks for a field, an operator or a value that does not exist.",
    "Correct the part that `detail` names; in a filter expression it names the position.")
IDEMPOTENCY_KEY: Final = ProblemType("idempotency-key", 1016, 400, "Malformed idempotency key",
    "The idempotency key does not have the form of one, there are two that differ, or one header stands for several "
    "mutations.",
    "Send one key of 1 to 255 visible ASCII characters, such as a new UUID for each operation. A text with blanks or "
    "quotes is sent as a Structured Field string, in quotes of its own.")
UNAUTHORIZED: Final = ProblemType("unauthorized", 1100, 401, "Unauthorized",
    "The request carries no credentials, or credentials that are not (or no longer) good.",
    "Send a good API key (X-API-Key), key and secret as Basic credentials, or a bearer token.")
FORBIDDEN: Final = ProblemType("forbidden", 1101, 403, "Forbidden",
    "The credentials are good, and lack the scope that the operation needs.",
    "Use credentials with the scope that `detail` names.")
ORIGIN_REFUSED: Final = ProblemType("origin-refused", 1102, 403, "Request from another site",
    "A page of another site sent this through a browser, and its origin is not on the gateway's list.",
    "Send it from the gateway's own pages, or let the operator add the origin to GATEWAY_CORS_ORIGINS.")
RATE_LIMITED: Final = ProblemType("rate-limited", 1110, 429, "Rate limit exceeded",
    "The caller, or the address before it is known who calls, has spent what it may in this time.",
    "Wait `Retry-After` seconds, then go on more slowly; the `RateLimit` header tells what is left.")
QUOTA_EXHAUSTED: Final = ProblemType("quota-exhausted", 1111, 429, "Daily quota exhausted",
    "The caller has spent what it may in one day (UTC).",
    "Wait until the day is over (`Retry-After` seconds), or ask the operator for more.")
NOT_FOUND: Final = ProblemType("not-found", 1200, 404, "Not found",
    "There is nothing at this address, or nothing with this id.",
    "Check the address and the id.")
GONE: Final = ProblemType("gone", 1201, 410, "Gone",
    "The customer was here and has been deleted.",
    "Forget the id; it is not used again. A request that is repeated with its idempotency key ends here too, once the"
    " customer that it was about has been deleted.")
RETIRED: Final = ProblemType("retired", 1204, 410, "Retired",
    "The request uses something that was deprecated, and whose sunset has passed.",
    "Use what takes its place: `detail` says what that is, the `Link` header leads there.")
HISTORY_LOST: Final = ProblemType("history-lost", 1205, 410, "History of changes lost",
    "The changes after this event are not kept any more, so which there were is unknown.",
    "Read the customers anew, and watch from now on: without `Last-Event-ID`, without `after`.")
METHOD_NOT_ALLOWED: Final = ProblemType("method-not-allowed", 1202, 405, "Method not allowed",
    "The address exists, the method does not work there.",
    "Use one of the methods in the `Allow` header.")
NOT_ACCEPTABLE: Final = ProblemType("not-acceptable", 1203, 406, "Not acceptable",
    "The `Accept` header asks for a media type that the gateway does not make.",
    "Accept application/json.")
CONFLICT: Final = ProblemType("conflict", 1300, 409, "Conflict",
    "The change conflicts with something stored, usually an e-mail address that another customer has.",
    "Change what `detail` names.")
PATCH_CONFLICT: Final = ProblemType("patch-conflict", 1301, 409, "Patch does not fit",
    "A JSON Patch operation names a place that is not there, or its test failed; nothing was changed.",
    "Read the present document and make the patch anew.")
PRECONDITION_MISSING: Final = ProblemType("precondition-missing", 1302, 412, "Precondition missing",
    "A change needs to say which version it was made from, and this one does not.",
    "Send `If-Match` with the ETag of what you read (or `*` to change whatever is there).")
PRECONDITION_FAILED: Final = ProblemType("precondition-failed", 1303, 412, "Precondition failed",
    "The customer has changed since the version that the request names.",
    "Read it again, decide again, and send the change with the present ETag (`currentETag`).")
IDEMPOTENCY_IN_PROGRESS: Final = ProblemType("idempotency-in-progress", 1304, 409, "Request in progress",
    "Another request with this idempotency key is running, and what becomes of it is not known yet.",
    "Send the same request again after `Retry-After` seconds: it then answers what the first has done, or does it.")
BODY_TOO_LARGE: Final = ProblemType("body-too-large", 1400, 413, "Body too large",
    "The body, or the document it would make, is larger than the gateway takes.",
    "Send less at once.")
URI_TOO_LONG: Final = ProblemType("uri-too-long", 1401, 414, "URI too long",
    "The URI is longer than 2,000 characters.",
    "Ask a shorter question.")
UNSUPPORTED_MEDIA_TYPE: Final = ProblemType("unsupported-media-type", 1402, 415, "Unsupported media type",
    "The body's `Content-Type` is none that the operation reads, or the body is compressed.",
    "Send one of the types that the `Accept` or `Accept-Patch` header of the answer names.")
HEADERS_TOO_LARGE: Final = ProblemType("headers-too-large", 1403, 431, "Request headers too large",
    "The request has more than 100 headers, or more than 16 KiB of them.",
    "Send fewer or smaller headers.")
REQUEST_TIMEOUT: Final = ProblemType("request-timeout", 1404, 408, "Request too slow",
    "The head was not complete after 10 seconds, or the body came more slowly than 1 kB a second for 10 seconds; "
    "nothing was changed.",
    "Send the request again, faster.")
READER_TOO_SLOW: Final = ProblemType("reader-too-slow", 1405, 408, "Reader too slow",
    "More changes waited for the reader of a stream than the gateway keeps, so the stream was ended.",
    "Open it again after the event that `lastEventId` names, and read faster, or ask for fewer events.")
VALIDATION_ERROR: Final = ProblemType("validation-error", 1500, 422, "Validation failed",
    "The body is well-formed, and one or more of its values are not valid.",
    "Correct every field in `errors` and send the request again.")
BATCH_FAILED: Final = ProblemType("batch-failed", 1502, 422, "Batch failed",
    "The batch was to be done as a whole, and one or more of its operations cannot be done; nothing was changed.",
    "Mend the operations that `failures` names by their index, or send the batch with `atomic` false, so that each "
    "operation is done for itself.")
IDEMPOTENCY_KEY_REUSED: Final = ProblemType(
    "idempotency-key-reused", 1501, 422, "Idempotency key was used for something else",
    "Within the last 24 hours you have sent this idempotency key with another operation, another payload or another "
    "precondition. Nothing was changed.",
    "Use a new key for each operation, and the old one only to repeat the same request.")
GRAPHQL_SYNTAX: Final = ProblemType("graphql-syntax", 1600, 400, "GraphQL document is not well-formed",
    "The document does not follow the grammar of GraphQL.",
    "Correct the document at the place in `locations`.")
GRAPHQL_VALIDATION: Final = ProblemType("graphql-validation", 1601, 400, "GraphQL document is not valid",
    "The document asks for something that the schema does not have, or in a way it does not allow; or its variables "
    "do not fit.",
    "Compare with the schema; the playground marks the place.")
GRAPHQL_LIMIT: Final = ProblemType("graphql-limit", 1602, 400, "GraphQL document is over a limit",
    "The document has more fields, repeated fields or faults, or deeper brackets, than the gateway takes.",
    "Ask in several smaller documents.")
GRAPHQL_REQUEST: Final = ProblemType("graphql-request", 1603, 400, "Not a GraphQL request",
    "The request does not have the form that GraphQL over HTTP asks for.",
    'Send {"query": "…", "variables": {…}, "operationName": "…"} as application/json.')
GRAPHQL_TOO_LONG: Final = ProblemType("graphql-document-size", 1610, 400, "GraphQL document is too long",
    "The document has more bytes than the gateway takes.",
    "Ask in several smaller documents.")
GRAPHQL_VARIABLES_TOO_LONG: Final = ProblemType("graphql-variables-size", 1611, 400, "GraphQL variables are too long",
    "The variables have more bytes, as JSON, or more values than the gateway takes.",
    "Send less at once.")
GRAPHQL_TOKENS: Final = ProblemType("graphql-tokens", 1612, 400, "GraphQL document has too many tokens",
    "The document has more tokens than the gateway takes.",
    "Ask in several smaller documents.")
GRAPHQL_DEPTH: Final = ProblemType("graphql-depth", 1613, 400, "GraphQL operation is too deep",
    "The operation nests fields more deeply than the gateway takes.",
    "Select fewer levels.")
GRAPHQL_ALIASES: Final = ProblemType("graphql-aliases", 1614, 400, "GraphQL operation has too many aliases",
    "The operation has more aliases than the gateway takes, fragments in place.",
    "Ask with fewer aliases; several customers come by nodes(ids).")
GRAPHQL_DIRECTIVES: Final = ProblemType("graphql-directives", 1615, 400, "GraphQL operation has too many directives",
    "The operation has more directives than the gateway takes, fragments in place.",
    "Use fewer directives.")
GRAPHQL_ROOT_FIELDS: Final = ProblemType("graphql-root-fields", 1616, 400, "GraphQL operation has too many root fields",
    "The operation asks for more root fields than the gateway takes, fragments in place.",
    "Ask in several smaller documents.")
GRAPHQL_COST: Final = ProblemType("graphql-cost", 1617, 400, "GraphQL operation costs too much",
    "The operation may answer with more objects than the gateway gives at once; `cost` and `limit` tell how many.",
    "Ask for smaller pages, or for fewer parts.")
PERSISTED_QUERY_NOT_FOUND: Final = ProblemType("persisted-query-not-found", 1620, 400, "Persisted query not found",
    "The gateway has no document of this SHA-256 (any more).",
    "Send the document together with its hash; it is then kept. Apollo Client and urql do so by themselves.")
DOCUMENT_NOT_TRUSTED: Final = ProblemType("document-not-trusted", 1621, 403, "GraphQL document is not trusted",
    "This gateway runs only the documents that its operator has listed.",
    "Send the SHA-256 of a listed document, or let the operator add this one.")
ANSWER_TOO_LARGE: Final = ProblemType("answer-too-large", 1701, 400, "Answer would be too large",
    "What was asked for has more bytes than the gateway answers at once.",
    "Ask for smaller pages or fewer fields.")
INTERNAL_ERROR: Final = ProblemType("internal-error", 1900, 500, "Internal error",
    "Something went wrong in the gateway that should not have.",
    "Try again; if it stays, tell the operator the `requestId`.")
UNAVAILABLE: Final = ProblemType("unavailable", 1901, 503, "Service unavailable",
    "The store did not answer in time, or not as it should; or the issuer of a token, whose keys are needed, is away.",
    "Try again after `Retry-After` seconds. With `outcome` none nothing was changed; with unknown, repeat the request"
    " with the same `Idempotency-Key`, or, where it had none, read first to see whether the change was made.")
OVERLOADED: Final = ProblemType("overloaded", 1902, 503, "Too many requests at once",
    "The gateway has as many requests in hand as it can answer in time, so it has not looked at this one.",
    "Try again after `Retry-After` seconds, and longer each time. Nothing was changed, whatever the method.")
# fmt: on

PROBLEM_TYPES: Final = tuple(value for value in list(vars().values()) if isinstance(value, ProblemType))
"""Every kind of problem, in the order of this file."""
GRAPHQL_LIMITS: Final = frozenset(kind for kind in PROBLEM_TYPES if kind.code == 1602 or 1610 <= kind.code <= 1617)
"""The problems of well-formed GraphQL requests that ask for too much."""
