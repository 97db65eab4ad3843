"""The answers of OpenAPI: headers, problems by status, bodies in both representations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from app.http.event_source import EVENT_STREAM
from app.rest.call import JSON
from app.rest.endpoints import Endpoint, Kind
from app.rest.examples import EXAMPLES, ID, TIMES, enveloped_problem_example, problem_example
from app.rest.file_media import customer_files, report_file
from app.rest.shapes import Schema, ref
from resolvers import problems as p
from resolvers.problem import ProblemType

Answers = dict[str, Any]

ENVELOPED: Final = "application/json;profile=enveloped"
"""How a client asks for the enveloped representation; OpenAPI tells the two apart by it."""

_COMMON_HEADERS: Final = ("X-Request-Id", "API-Version", "Cache-Control", "RateLimit", "RateLimit-Policy")
_BY_STATUS: Final = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    404: ("Idempotent-Replayed",),
    409: ("ETag", "Retry-After", "Idempotent-Replayed"),
    410: ("Idempotent-Replayed",),
    412: ("ETag", "Idempotent-Replayed"),
    415: ("Accept", "Accept-Patch"),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""What a refusal says in headers, beside what every answer says."""


def _header(description: str, schema: Schema | None = None, *, always: bool = False) -> dict[str, Any]:
    said = {"description": description, "schema": schema or {"type": "string", "maxLength": 8192}}
    return {**said, "required": True} if always else said


HEADERS: Final[dict[str, Any]] = {
    "X-Request-Id": _header("The request's id: the client's own, or a new one.", always=True),
    "API-Version": _header(
        "MAJOR.MINOR.PATCH of the API.",
        {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$", "maxLength": 32},
        always=True,
    ),
    "Cache-Control": _header("How long, and by whom, the answer may be kept.", always=True),
    "RateLimit": _header(
        "What is left of the limit with the least left (`r`), and in how many seconds there is more (`t`): "
        'a Structured Field such as `"caller";r=599;t=1`. Absent where nothing is counted.'
    ),
    "RateLimit-Policy": _header('All limits that hold: a Structured Field such as `"caller";q=600;w=60`.'),
    "Vary": _header("On what of the request the answer depends."),
    "ETag": _header("The strong ETag of this representation."),
    "Location": _header(
        "Where the new resource is, or what was asked for.",
        {"type": "string", "format": "uri-reference", "maxLength": 2000},
    ),
    "Link": _header("The pages around, and the new address of an old one (RFC 8288)."),
    "Next-Cursor": _header("The cursor of the next page."),
    "Preference-Applied": _header("Which preferences were kept (RFC 7240)."),
    "Dry-Run": _header("`true` where nothing was stored.", {"type": "string", "enum": ["true"]}),
    "Idempotent-Replayed": _header(
        "`true` where this is what an earlier request with the same idempotency key was answered, and nothing was done "
        "again.",
        {"type": "string", "enum": ["true"]},
    ),
    "Allow": _header("The methods that work here."),
    "Accept": _header("The media types that are read here."),
    "Accept-Patch": _header("The media types that PATCH reads here."),
    "Retry-After": _header(
        "Seconds after which to try again.", {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86_400}
    ),
    "WWW-Authenticate": _header("Which credentials are taken."),
    "Content-Disposition": _header("A name for the file (RFC 6266)."),
    "Pragma": _header("`no-cache`, for caches of HTTP/1.0 (RFC 6749 section 5.1)."),
}


def headers(*names: str) -> Answers:
    """Return references to headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*_COMMON_HEADERS, *names)}


def problem_headers(status: int) -> Answers:
    """Return references to the headers of a refusal."""
    return headers(*_BY_STATUS.get(status, ()))


def problem_answers(kinds: tuple[ProblemType, ...], instance: str) -> Answers:
    """Return the answers for problems at the path `instance`, by status, each kind with an example."""
    statuses: dict[int, list[ProblemType]] = {}
    for kind in dict.fromkeys(kinds):
        statuses.setdefault(kind.status, []).append(kind)
    return {str(status): _problem_answer(status, statuses[status], instance) for status in sorted(statuses)}


def _problem_answer(status: int, kinds: list[ProblemType], instance: str) -> dict[str, Any]:
    return {
        "description": "; ".join(kind.title for kind in kinds) + ".",
        "headers": problem_headers(status),
        "content": {
            "application/problem+json": {
                "schema": ref("Problem"),
                "examples": {
                    kind.slug: {"summary": kind.title, "value": problem_example(kind, instance)} for kind in kinds
                },
            },
            ENVELOPED: {
                "schema": ref("EnvelopedErrors"),
                "examples": {
                    kind.slug: {"summary": kind.title, "value": enveloped_problem_example(kind)} for kind in kinds
                },
            },
        },
    }


def success_answers(endpoint: Endpoint) -> Answers:
    """Return the answers of an endpoint when all goes well."""
    if endpoint.kind in _SPECIAL:
        return _SPECIAL[endpoint.kind](endpoint)
    return _versioned(endpoint, str(endpoint.gives)) if endpoint.versioned else _unversioned(endpoint)


def _versioned(endpoint: Endpoint, name: str) -> Answers:
    """Return the answers about something that has an ETag."""
    if endpoint.kind in {"list", "search"}:
        own_headers = ("Link", "Next-Cursor") if endpoint.kind == "list" else ("Next-Cursor",)
        return {"200": _body("A page of customers.", name, own_headers)}
    if endpoint.kind == "create":
        dry = _body("What would be created (`dryRun=true`).", name, ("Dry-Run", "Preference-Applied"))
        made = _body("Created.", name, ("ETag", "Location", "Preference-Applied", "Idempotent-Replayed"))
        return {"200": dry, "201": {**made, "links": _links(name)}}
    if endpoint.kind in {"replace", "patch", "batch", "bulk"}:
        return {"200": _changed(name) if endpoint.kind in {"replace", "patch"} else _done(name)}
    if "{" not in endpoint.path:
        return {"200": _events(name) if endpoint.kind == "events" else _body("The resource as it is now.", name, ())}
    not_modified = {"description": "Not modified.", "headers": headers("ETag", "Vary")}
    return {"200": _body("The resource as it is now.", name, ("ETag",)), "304": not_modified}


def _operation(endpoint: Endpoint) -> Answers:
    """Return the answers about operations, and of what may become one."""
    name = str(endpoint.gives)
    if endpoint.kind == "erase":
        done = _body("Erased, or with `dryRun=true` what would be.", name, ("Dry-Run",))
        return {"200": done, "202": begun_answer()}
    return {"200": _body("What is there now.", name, ("Retry-After",))}


def begun_answer(*own_headers: str) -> dict[str, Any]:
    """Return the answer where an operation goes on with what was asked for."""
    said = "An operation has begun; ask for it until it has ended."
    answer = _body(said, "Operation", ("Location", "Retry-After", "Idempotent-Replayed", *own_headers))
    ids = {"operationId": "$response.body#/id"}
    follow = {"operationId": "getOperation", "parameters": ids, "description": "Ask how far it is."}
    cancel = {"operationId": "cancelOperation", "parameters": ids, "description": "Cancel it."}
    return {**answer, "links": {"getOperation": follow, "cancelOperation": cancel}}


def _events(name: str) -> dict[str, Any]:
    """Return a stream of server-sent events; OpenAPI 3.1 knows of no such thing, so the schema is that of `data`."""
    last = problem_example(p.READER_TOO_SLOW, "/api/v1/customer-events")
    examples = {
        "event": {"summary": "data of one event", "value": EXAMPLES[name]},
        p.READER_TOO_SLOW.slug: {"summary": "data of `event: problem`, the last one", "value": last},
    }
    media = {"schema": {"anyOf": [ref(name), ref("Problem")]}, "examples": examples}
    return {"description": "Events, as they come.", "headers": headers("Vary"), "content": {EVENT_STREAM: media}}


def _unversioned(endpoint: Endpoint) -> Answers:
    """Return the answers about something without versions, so without ETags."""
    name = str(endpoint.gives)
    if endpoint.kind == "create":
        dry = _body("What would be created (`dryRun=true`).", name, ("Dry-Run", "Preference-Applied"))
        made = _body("Created.", name, ("Location", "Preference-Applied", "Idempotent-Replayed"))
        ids = {"webhookId": "$response.body#/id"}
        links = {
            one: {"operationId": one, "parameters": ids, "description": said}
            for one, said in (("testWebhook", "Send it a test event."), ("deleteWebhook", "Take it away again."))
        }
        return {"200": dry, "201": {**made, "links": links}}
    if endpoint.kind == "patch":
        return {"200": _changed(name, ("Dry-Run", "Preference-Applied"))}
    replayed = ("Idempotent-Replayed",) if endpoint.operation.keyed else ()
    own_headers = {"log": ("Next-Cursor",), "action": ("Dry-Run", *replayed)}.get(endpoint.kind, ())
    return {"200": _body("Done." if endpoint.kind == "action" else "As it is now.", name, own_headers)}


def _links(name: str) -> dict[str, Any]:
    """Return what can be done next with a new resource: its id is in the plain body, its ETag in the head."""
    own = f"{name[0].lower()}{name[1:]}Id"
    ids = {own: "$response.body#/id"}
    if name != "Customer":
        ids = {"customerId": "$request.path.customerId", **ids}
    fresh = {**ids, "header.If-Match": "$response.header.ETag"}
    remove = "deleteCustomer" if name == "Customer" else f"remove{name}"
    return {
        f"get{name}": {"operationId": f"get{name}", "parameters": ids, "description": "Read it."},
        f"update{name}": {"operationId": f"update{name}", "parameters": fresh, "description": "Change it."},
        remove: {"operationId": remove, "parameters": ids, "description": "Take it away again."},
    }


def _deleted(endpoint: Endpoint) -> Answers:
    """Return what a DELETE answers; a collection that may not become empty only refuses."""
    if endpoint.operation.rest[0].startswith("DELETE "):
        return {"204": {"description": "Done.", "headers": headers("Dry-Run")}}
    return {}


_KEYED_HEADERS: Final = ("ETag", "Dry-Run", "Preference-Applied", "Idempotent-Replayed")


def _changed(name: str, own_headers: tuple[str, ...] = _KEYED_HEADERS) -> dict[str, Any]:
    """Return the answer of a PUT or PATCH: the resource, or shortly what changed."""
    answer = _body("The resource as it is now.", name, own_headers)
    short = {"id": ID, "updatedAt": TIMES["updatedAt"]}
    for media in answer["content"].values():
        media["schema"] = {"oneOf": [media["schema"], ref("Changed")]}
        media["examples"]["short"] = {
            "summary": "With resource=false, with Prefer: return=minimal, or without customers:read",
            "value": short,
        }
    return answer


def _done(name: str) -> dict[str, Any]:
    """Return the answer of a batch."""
    return _body("What became of each operation.", name, ("Dry-Run", "Preference-Applied", "Idempotent-Replayed"))


def _body(description: str, name: str, own_headers: tuple[str, ...]) -> dict[str, Any]:
    """Return an answer with a body, in both representations."""
    wrapped = f"Enveloped{name}"
    content = {
        media: {"schema": ref(schema), "examples": {label: {"summary": schema, "value": EXAMPLES[schema]}}}
        for media, schema, label in ((JSON, name, "plain"), (ENVELOPED, wrapped, "enveloped"))
    }
    return {"description": description, "headers": headers("Vary", *own_headers), "content": content}


def file_answer(description: str, content: dict[str, Any], *own_headers: str) -> dict[str, Any]:
    """Return an answer that is a file."""
    return {"description": description, "headers": headers("Vary", *own_headers), "content": content}


_SPECIAL: Final[dict[Kind, Callable[[Endpoint], Answers]]] = {
    "delete": _deleted,
    "erase": _operation,
    "poll": _operation,
    "cancel": _operation,
    "import": lambda _: {"202": begun_answer("Preference-Applied", "Dry-Run")},
    "export": lambda _: {"200": file_answer("The customers.", customer_files(), "Content-Disposition")},
    "report": lambda _: {"200": file_answer("The lines that were refused.", report_file())},
}
"""Who knows the answers of those kinds that do not answer with a resource."""
