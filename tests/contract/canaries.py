"""Words that nothing else holds, sent through every operation and every refusal, so that a leak can be found.

Every personal text holds `MARK`; the phone number, which must be digits, holds `DIGITS`.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

import httpx2

from resolvers.operation import Operation
from resolvers.operations import OPERATIONS
from tests import factories
from tests.contract.asking import JSON
from tests.contract.calls import (
    Call,
    Json,
    Stored,
    answer,
    call_of,
    calls,
    graphql_call,
    is_of_others,
    store,
    with_webhook,
)

MARK: Final = "qanary"
DIGITS: Final = "88776655440099"
CUSTOMERS: Final = "/api/v1/customers"
JWT: Final = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"RS256","kid":"qanarykid"}', b'{"sub":"qanarysubject"}', b"qanarysignatureqanarysignature")
)
BAD_BASIC: Final = base64.b64encode(b"client_qanaryclient:cgs_qanarysecret").decode()
BAD_KEY: Final = "cgw_Qanarykeyqanarykeyqanarykeyqanarykeyqanarykeyqan"
_EMAILS: Final = itertools.count(1)


def person() -> Json:
    """Return a customer whose every text is a canary."""
    return factories.customer(
        firstName="Qanaryfirst",
        middleName="Qanarymiddle",
        lastName="Qanarylast",
        email=f"qanarymail{next(_EMAILS)}@qanaryhost.example",
        addresses=[
            factories.address(
                street1="7 Qanarystreet", street2="Qanaryfloor", city="Qanarycity", state="Qanarystate",
                postalCode="Qanary 7731", country="Qanaryland",
            )
        ],
        phoneNumbers=[factories.phone_number(number=DIGITS, extension="qanaryextension")],
    )  # fmt: skip


@dataclass
class Sender:
    """Sends requests, each with an id of its own, and keeps the answers; `maker` makes the customers for them."""

    client: httpx2.Client
    maker: httpx2.Client
    key: str
    lacking: str
    basic: str
    answers: dict[str, tuple[Call, httpx2.Response]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)

    def send(self, call: Call, **headers: str) -> httpx2.Response:
        """Send a request with the key of all scopes, unless the headers bring credentials of their own."""
        request_id = f"request-{len(self.answers)}"
        credentials = {} if headers.keys() & {"Authorization", "X_API_Key"} else {"X-API-Key": self.key}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = call.send(self.client, **credentials, **named, **{"X-Request-Id": request_id})
        self.answers[request_id] = (call, response)
        return response

    def raw(self, method: str, url: str, content: bytes | str | None = None, **headers: str) -> httpx2.Response:
        """Send a request with a body as it is."""
        return self.send(_Raw(f"{method} raw", method, url, content), **headers)

    def graphql(self, query: str, **members: Any) -> httpx2.Response:
        """Send a document."""
        return self.send(Call("document", "POST", "/graphql", {"query": query, **members}))


@dataclass(frozen=True)
class _Raw(Call):
    """A request whose body is sent as it is."""

    def send(self, client: httpx2.Client, **headers: str) -> httpx2.Response:
        return answer(client, self.method, self.url, content=self.body, headers={**self.headers, **headers})


def send_everything(sender: Sender) -> Stored:
    """Send every operation, accepted and refused at every stage, and return a customer that is still there."""
    for operation in OPERATIONS:
        _accepted(sender, operation)
        for call in calls(operation, _stored(sender, operation.name), person()):
            _refused_callers(sender, call)
            _refused_documents(sender, call) if call.url == "/graphql" else _refused_requests(sender, call)
    _questions(sender)
    _conflicts(sender)
    _erased(sender)
    _heads(sender)
    _over_the_limits(sender)
    _persisted(sender)
    _tokens(sender)
    return _stored(sender)


def _stored(sender: Sender, name: str = "") -> Stored:
    return with_webhook(name, sender.maker, store(sender.maker, person()))


def _accepted(sender: Sender, operation: Operation[Any, Any]) -> None:
    for name in (*operation.rest, *operation.graphql):
        fresh = call_of(name, _stored(sender, operation.name), person())
        accepted = {404} if is_of_others(fresh) else {200, 201, 202, 204, 422}
        assert sender.send(fresh, Authorization=sender.basic).status_code in {200, *accepted}
    for name in operation.graphql:
        literal = graphql_call(name, _stored(sender, operation.name), person(), literal=True)
        assert is_of_others(literal) or '"errors"' not in sender.send(literal).text


def _refused_callers(sender: Sender, call: Call) -> None:
    for credentials in (
        {"X_API_Key": BAD_KEY}, {"X_API_Key": sender.lacking}, {"Authorization": f"Bearer {JWT}"},
        {"Authorization": f"Basic {BAD_BASIC}"}, {"Authorization": sender.basic + "x"}, {"Authorization": "qanary"},
        {"Authorization": sender.basic, "X_API_Key": sender.key},
    ):  # fmt: skip
        assert sender.send(call, **credentials).status_code in {200, 201, 202, 401, 403, 404}
    sender.send(call, Origin="https://qanary.example", Sec_Fetch_Site="cross-site")


def _refused_requests(sender: Sender, call: Call) -> None:
    joint = "&" if "?" in call.url else "?"
    for parameter in ("qanaryname=qanaryvalue", "api_key=" + sender.key, "access_token=" + JWT, "dryRun=qanary"):
        sender.send(replace(call, url=f"{call.url}{joint}{parameter}"))
    sender.send(call, Accept="text/qanary")
    sender.send(call, If_Match='"v9-qanarytag"', If_None_Match='"qanarytag"')
    sender.send(replace(call, headers={}), Prefer="handling=strict; qanary=qanary")
    sender.send(replace(call, url=f"{CUSTOMERS}/qanary@qanary.example"))
    sender.send(replace(call, url=call.url.replace("-4", "-5", 1)))
    if call.body is not None:
        for sent in (b"{", b'"qanary"', b"[5]", b"[[{]", b'{"qanary": 1, "qanary": 2}', b"\xff", b"qanary" * 200_000):
            sender.raw(call.method, call.url, sent, Content_Type="application/json", If_Match="*")
        sender.raw(call.method, call.url, b"qanary", Content_Type="text/qanary", If_Match="*")
        for wrong in _wrong(call.body):
            sender.send(replace(call, body=wrong), Prefer="handling=strict", If_Match="*")


def _wrong(body: Any) -> Iterator[Any]:
    """Give bodies whose values are of a wrong type, not valid, or not known, canaries in all of them."""
    if isinstance(body, list):
        yield from ([wrong] for wrong in _wrong(body[0]))
        return
    yield {**body, "qanaryproperty": "Qanaryproperty"}
    yield {name: ["Qanarylist"] for name in body}
    yield dict.fromkeys(body, "#Qanary\x00")
    yield dict.fromkeys(body, "Qanary" * 100)


def _refused_documents(sender: Sender, call: Call) -> None:
    query, variables = call.body["query"], call.body["variables"]
    wrong = {name: {"qanary": f"Qanary{name}"} for name in variables}
    for body in (
        {"query": query, "variables": wrong},
        {"query": query, "variables": {"qanaryvariable": "Qanaryvariable"}, "operationName": "Qanaryoperation"},
        {"query": query + ' "Qanaryliteral', "variables": variables},
        {"query": query.replace("{", "{ qanaryfield(qanary: \"Qanaryliteral\") ", 1), "variables": variables},
        {"query": query.replace("{", "@qanary(a: \"Qanaryliteral\") {", 1), "variables": variables},
        {"query": query, "variables": "Qanaryvariables"},
        {"query": query, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "qanary"}}},
        [call.body],
    ):  # fmt: skip
        assert sender.send(replace(call, body=body)).status_code in {200, 400}
    params = httpx2.QueryParams({"query": query, "variables": json.dumps(variables)})
    sender.raw("GET", f"/graphql?{params}", Accept="application/graphql-response+json")
    for sent in (b"{", b"", b'{"query": "\xff qanary"}', b'{"query": "qanary", "query": "qanary"}'):
        sender.raw("POST", "/graphql", sent, Content_Type="application/json")
    sender.raw("POST", "/graphql", str(params), Content_Type="application/x-www-form-urlencoded")


def _questions(sender: Sender) -> None:
    for query in (
        "q=Qanarylast", "email=qanarymail1@qanaryhost.example", f"phone={DIGITS}", "lastName=Qanarylast",
        "filter=lastName eq 'Qanaryfilter'", "filter=lastName eq 'Qanaryfilter", "filter=qanary eq 'Qanaryfilter'",
        "filter=qanary(", "fields=lastName", "fields=qanary", "sort=qanary,asc", "sort_by=qanary:up", "page=qanary",
        "size=qanary", "cursor=qanarycursor", "count=qanary", "createdAfter=qanary", "id=qanary", "notify=qanary",
        "q=Qanarylast&explain=true", f"q={'qanary ' * 40}", "email=%FFqanary",
    ):  # fmt: skip
        sender.raw("GET", f"{CUSTOMERS}?{query}")
    for body in ({"filter": "qanary("}, {"cursor": "qanarycursor"}, {"q": "Qanarylast"}, {"qanary": 5}, "Qanary"):
        sender.send(Call("search", "POST", f"{CUSTOMERS}:search", body))
    query = (
        "query($f: CustomerFilter, $s: String, $a: String) {customers(filter: $f, search: $s, after: $a) {totalCount}}"
    )
    for variables in (
        {"f": {"lastName": {"eq": "Qanaryfilter"}}}, {"f": {"lastName": {"qanary": "Qanaryfilter"}}},
        {"f": {"phone": DIGITS}}, {"s": "Qanarysearch"}, {"s": "qanary " * 500}, {"a": "qanarycursor"},
    ):  # fmt: skip
        sender.graphql(query, variables=variables)


def _conflicts(sender: Sender) -> None:
    """Ask at both doors for an e-mail address that another customer has, by making and by changing."""
    taken, stored = person(), _stored(sender)
    sender.send(Call("create", "POST", CUSTOMERS, taken))
    url = f"{CUSTOMERS}/{stored.id}"
    for call in (
        Call("create", "POST", CUSTOMERS, taken), Call("create dry", "POST", f"{CUSTOMERS}?dryRun=true", taken),
        Call("replace", "PUT", url, taken, {"If-Match": "*"}),
        Call("update", "PATCH", url, {"email": taken["email"].upper()}, {"If-Match": "*"}),
    ):  # fmt: skip
        assert sender.send(call).status_code == 409
    for name in ("createCustomer", "replaceCustomer", "updateCustomer"):
        assert "errors" in sender.send(graphql_call(f"Mutation.{name}", stored, taken)).json()


def _erased(sender: Sender) -> None:
    url = f"{CUSTOMERS}/{_stored(sender).id}"
    for method in ("DELETE", "GET", "DELETE", "PATCH"):
        sender.send(Call("erased", method, url, person() if method == "PATCH" else None, {"If-Match": "*"}))


def _heads(sender: Sender) -> None:
    """Send what is too long, what leads nowhere, and headers that hold a person."""
    words = dict.fromkeys(("User_Agent", "Referer", "Cookie", "From"), "Qanaryheader qanary@qanaryhost.example")
    sender.raw("GET", f"{CUSTOMERS}?size=1", **words, X_Forwarded_For="qanary", Forwarded="for=qanary")
    for url in (
        f"/{MARK}",
        f"/{MARK}/qanary@qanaryhost.example",
        f"/problems/{MARK}",
        f"/assets/{MARK}",
        "/graphql/qanary",
    ):
        sender.raw("GET", url)
        sender.raw("DELETE", f"{url}?qanary=qanary")
    sender.raw("GET", f"{CUSTOMERS}?q={'qanary' * 400}")
    sender.raw("GET", f"{CUSTOMERS}?size=1", X_Long="qanary" * 3000)
    sender.raw("GET", f"{CUSTOMERS}?size=1", **{f"X_Qanary_{number}": "qanary" for number in range(120)})
    sender.raw("TRACE", f"{CUSTOMERS}?qanary=1")


def _over_the_limits(sender: Sender) -> None:
    text = '(email: "Qanaryliteral")'
    for query in (
        f"{{ a: customerByEmail{text} {{ id }} " + "b " * 1000 + "}",
        f"{{ customerByEmail{text} {{ {'node { ' * 12}id {'}' * 12} }} }}",
        "{" + "".join(f" a{number}: customerByEmail{text} {{ id }}" for number in range(18)) + "}",
        "{" + f" customerByEmail{text} {{ id }}" * 22 + "}",
        f"{{ customerByEmail{text} {{ id {'@include(if: true) ' * 60} }} }}",
        f"{{ customerByEmail{text} {{ id }} # {'qanary' * 3000}\n }}",
        "{" + "".join(f' {name}: explainCustomers(search: "Qanary") {{ query }}' for name in "abcd") + "}",
        "{" * 70 + MARK + "}" * 70,
    ):  # fmt: skip
        assert "errors" in sender.graphql(query).json()
    sender.graphql("query($v: [ID!]!) { nodes(ids: $v) { id } }", variables={"v": ["Qanaryvariable"] * 5000})


def _persisted(sender: Sender) -> None:
    query = '{ customerByEmail(email: "Qanarypersisted") { id } }'
    for text in (query, "another Qanarydocument"):
        persisted = {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}
        for members in ({}, {"query": query}, {}):
            body = {"extensions": {"persistedQuery": persisted, "qanary": "Qanaryextension"}, **members}
            sender.send(Call("persisted", "POST", "/graphql", body))


def _tokens(sender: Sender) -> None:
    """Get an access token, use it, and ask for more in every wrong way; the one answer that shows it is not kept."""
    form, kind = "grant_type=client_credentials", "application/x-www-form-urlencoded"
    headers = {"Authorization": sender.basic, "Content-Type": kind}
    granted = sender.client.post("/oauth/token", content=form, headers=headers).json()["access_token"]
    sender.tokens.append(granted)
    for token in (granted, f"{granted}x", granted[:-9], granted.replace(".", "..", 1)):
        sender.raw("GET", f"{CUSTOMERS}?q=Qanarylast", Authorization=f"Bearer {token}")
        sender.raw("POST", "/graphql", '{"query": "{ qanary }"}', Content_Type=JSON, Authorization=f"Bearer {token}")
    wrong = ("&scope=qanary", "&client_secret=cgs_qanarysecret", "&grant_type=qanary", "&qanary", "&%ff=qanary")
    for sent in ("grant_type=qanary", *(form + more for more in wrong)):
        for credentials in (sender.basic, f"Basic {BAD_BASIC}", f"Bearer {granted}"):
            sender.raw("POST", "/oauth/token", sent, Content_Type=kind, Authorization=credentials)
    sender.raw("POST", f"/oauth/token?client_secret={BAD_KEY}", form, Content_Type=kind, Authorization=sender.basic)
