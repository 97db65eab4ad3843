"""The examples of OpenAPI: one customer, told throughout."""

from __future__ import annotations

from typing import Any, Final

from app.example import ADDRESS, INPUT, PHONE, PREFERENCES
from app.http.problems import enveloped_message
from app.rest.webhook_schemas import WEBHOOK_EXAMPLES, WEBHOOK_PATHS
from resolvers.problem import JsonValue, ProblemType
from resolvers.problems import (
    BATCH_FAILED,
    CONFLICT,
    FORBIDDEN,
    GRAPHQL_LIMIT,
    NOT_FOUND,
    OVERLOADED,
    PRECONDITION_FAILED,
    PRECONDITION_MISSING,
    READER_TOO_SLOW,
    UNAVAILABLE,
    VALIDATION_ERROR,
)

ID: Final = "d68825b3-830c-44f8-953e-a8b5cd943aa8"
TIMES: Final = {"createdAt": "2026-09-14T22:35:56.560Z", "updatedAt": "2026-09-14T22:35:56.560Z"}
CUSTOMER: Final[dict[str, Any]] = {"id": ID, **INPUT, **TIMES}
PATH_EXAMPLES: Final = {
    "customerId": ID,
    "addressId": "671c272f-370f-40f9-b863-7531aa696b4a",
    "phoneNumberId": "79455671-2e46-46f1-b046-37d827f33103",
    "operationId": "5a0c8f0e-6a35-4a0b-9c3e-2f7f5a1d7c11",
    **WEBHOOK_PATHS,
}
_REQUEST_ID: Final = "86032cbe-a804-4c3b-86ce-ec3041e3effc"
_ADDRESS_PART: Final = {"id": PATH_EXAMPLES["addressId"], **ADDRESS}
_PHONE_PART: Final = {"id": PATH_EXAMPLES["phoneNumberId"], **PHONE}
_METADATA: Final = {"pagination": {"page": 1, "page_size": 25, "total_count": 1}}
_VIEWER: Final = {
    "id": "86032cbe-a804-4c3b-86ce-ec3041e3effc",
    "name": "crm",
    "scopes": ["customers:read"],
    "quota": [{"name": "caller", "limit": 600, "left": 599, "window": 60, "reset": 60}],
}
_TAG: Final = '"v1-d68825b3"'
_NEXT_TAG: Final = '"v2-d68825b3"'
_BATCH: Final[dict[str, Any]] = {
    "operations": [
        {"op": "create", "customer": INPUT},
        {"op": "update", "id": ID, "ifMatch": _TAG, "patch": {"lastName": "Rieger"}},
    ],
    "atomic": False,
}
_FAILED: Final[dict[str, JsonValue]] = {
    "type": f"https://api.example.com/problems/{NOT_FOUND.slug}",
    "title": NOT_FOUND.title,
    "status": NOT_FOUND.status,
    "detail": "There is no customer with this id.",
    "code": NOT_FOUND.code,
    "requestId": _REQUEST_ID,
    "resource": "customers",
}
_RESULTS: Final[list[dict[str, Any]]] = [
    {"op": "create", "id": ID, "status": 201, "etag": _TAG},
    {"op": "update", "id": ID, "status": 200, "etag": _NEXT_TAG},
]
_REFUSED: Final[dict[str, Any]] = {"op": "update", "id": PATH_EXAMPLES["customerId"], "status": 404}

_OPERATION: Final = {
    "id": PATH_EXAMPLES["operationId"],
    "kind": "import",
    "status": "running",
    "done": 2000,
    "total": 100_000,
    "failed": 1,
    "counts": {"created": 1999, "refused": 1},
    "errors": [
        {
            "line": 17,
            "problem": {
                "type": "https://api.example.com/problems/validation-error",
                "title": "Validation error",
                "status": 422,
                "detail": "One field is not valid: email.",
                "code": 1500,
                "errors": [{"field": "email", "pointer": "/email", "message": "must be an e-mail address"}],
            },
        }
    ],
    "dryRun": False,
    "cancelRequested": False,
    **TIMES,
}

_BODIES: Final[dict[str, Any]] = {
    "Customer": CUSTOMER,
    "CustomerInput": INPUT,
    "CustomerPatch": {"lastName": "Rieger", "notificationPreferences": {"sms": True}},
    "CustomerPage": {
        "content": [CUSTOMER],
        "page": {"page": 1, "size": 25, "totalElements": 1, "totalPages": 1},
    },
    "Address": _ADDRESS_PART,
    "Addresses": {"content": [_ADDRESS_PART]},
    "AddressInput": ADDRESS,
    "AddressInputs": [ADDRESS],
    "AddressPatch": {"street1": "2 Market St."},
    "PhoneNumber": _PHONE_PART,
    "PhoneNumbers": {"content": [_PHONE_PART]},
    "PhoneNumberInput": PHONE,
    "PhoneNumberInputs": [PHONE],
    "PhoneNumberPatch": {"number": "202-875-4344"},
    "NotificationPreferences": PREFERENCES,
    "NotificationPreferencesInput": PREFERENCES,
    "NotificationPreferencesPatch": {"sms": True},
    "CustomerSearch": {"filter": "lastName eq 'Reiger'", "sort": ["lastName,asc", "createdAt,desc"], "size": 10},
    "Viewer": _VIEWER,
    "CustomerBatch": _BATCH,
    "CustomerReplacements": [{"id": ID, "ifMatch": _TAG, "customer": INPUT}],
    "CustomerPatches": [{"id": ID, "ifMatch": _TAG, "patch": {"lastName": "Rieger"}}],
    "BatchResults": {"results": [*_RESULTS, {**_REFUSED, "problem": _FAILED}]},
    "Deletion": {"deleted": 12},
    "Operation": _OPERATION,
    "Operations": {"content": [_OPERATION]},
    "CustomerJsonPatch": [{"op": "replace", "path": "/lastName", "value": "Rieger"}],
    "ListJsonPatch": [{"op": "replace", "path": "/0/type", "value": "work"}],
    "AddressJsonPatch": [{"op": "replace", "path": "/city", "value": "Oakland"}],
    "PhoneNumberJsonPatch": [{"op": "replace", "path": "/number", "value": "202-875-4344"}],
    "NotificationPreferencesJsonPatch": [{"op": "replace", "path": "/sms", "value": True}],
}

_ENVELOPES: Final[dict[str, Any]] = {
    "EnvelopedCustomer": {"customer": CUSTOMER},
    "EnvelopedCustomerPage": {"customers": [CUSTOMER], "metadata": _METADATA},
    "EnvelopedAddress": {"address": _ADDRESS_PART},
    "EnvelopedAddresses": {"addresses": [_ADDRESS_PART], "metadata": _METADATA},
    "EnvelopedPhoneNumber": {"phoneNumber": _PHONE_PART},
    "EnvelopedPhoneNumbers": {"phoneNumbers": [_PHONE_PART], "metadata": _METADATA},
    "EnvelopedNotificationPreferences": {"notificationPreferences": PREFERENCES},
    "EnvelopedViewer": {"viewer": _VIEWER},
    "EnvelopedBatchResults": {
        "results": _RESULTS,
        "metadata": {"pagination": {"page": 1, "page_size": len(_RESULTS), "total_count": len(_RESULTS)}},
    },
    "EnvelopedDeletion": {"deleted": 12},
    "EnvelopedOperation": {"operation": _OPERATION},
    "EnvelopedOperations": {"operations": [_OPERATION], "metadata": _METADATA},
}
_EVENT: Final[dict[str, Any]] = {
    "id": "cHJpdmF0ZSBwbGFjZSBpbiB0aGUgaGlzdG9yeQ",
    "type": "customer.updated",
    "timestamp": TIMES["updatedAt"],
    "data": {"customerId": ID, "version": 4, "changed": ["addresses"]},
}
EXAMPLES: Final = {**_BODIES, **_ENVELOPES, **WEBHOOK_EXAMPLES, "Event": _EVENT}
"""One example for each schema of a body, by the schema's name."""

_DETAILS: Final[dict[ProblemType, tuple[str, dict[str, JsonValue]]]] = {
    VALIDATION_ERROR: (
        "One field is not valid: addresses[0].postalCode.",
        {
            "errors": [
                {
                    "field": "addresses[0].postalCode",
                    "pointer": "/addresses/0/postalCode",
                    "message": "must match the pattern ^[0-9A-Za-z\\- ]+$",
                }
            ]
        },
    ),
    CONFLICT: ("Another customer has this email address.", {"fields": ["email"]}),
    PRECONDITION_FAILED: (
        "The customer has changed: its version is now 4.",
        {"currentETag": '"v4-d68825b3"', "currentVersion": 4, "differingFields": ["email"]},
    ),
    PRECONDITION_MISSING: (
        "This change needs If-Match with the ETag of the version it was made from.",
        {"currentETag": '"v4-d68825b3"', "currentVersion": 4},
    ),
    FORBIDDEN: (
        "This needs the scope customers:write, which your credentials lack.",
        {"error": "insufficient_scope", "scope": "customers:write"},
    ),
    GRAPHQL_LIMIT: (
        "The document has 1200 tokens; at most 1000 are taken.",
        {"limit": 1000, "found": 1200, "what": "tokens"},
    ),
    BATCH_FAILED: (
        "One operation cannot be done; nothing was changed.",
        {"failures": [{"index": 1, "op": "update", "id": ID, "status": 404, "problem": _FAILED}]},
    ),
    OVERLOADED: (
        "The gateway has too many requests in hand; nothing was changed.",
        {"outcome": "none", "retryAfter": 2},
    ),
    READER_TOO_SLOW: ("Too many events waited to be read.", {"lastEventId": _EVENT["id"]}),
    UNAVAILABLE: ("The store did not answer in time; nothing was changed.", {"outcome": "none"}),
}


def problem_example(kind: ProblemType, instance: str) -> dict[str, JsonValue]:
    """Return how a problem looks at the path `instance`."""
    detail, extra = _DETAILS.get(kind, (kind.cause, {}))
    return {
        "type": f"https://api.example.com/problems/{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": instance,
        "code": kind.code,
        "requestId": _REQUEST_ID,
        "resource": "customers",
        **extra,
    }


def enveloped_problem_example(kind: ProblemType) -> dict[str, JsonValue]:
    """Return how a problem looks in the enveloped profile."""
    entry: dict[str, JsonValue] = {
        "httpStatus": kind.status,
        "request_id": _REQUEST_ID,
        "code": kind.code,
        "resource": "customers",
        "title": kind.title,
        "message": enveloped_message(*_DETAILS.get(kind, (kind.cause, {}))),
    }
    return {"errors": [entry]}


def graphql_error_example(kind: ProblemType) -> dict[str, JsonValue]:
    """Return how a problem looks in GraphQL: what REST shows, as `extensions`."""
    members = problem_example(kind, "/graphql")
    message = members.pop("detail")
    del members["instance"]
    return {"errors": [{"message": message, "extensions": members}]}
