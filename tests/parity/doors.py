"""The two doors behind one face, so that a scenario is written once and runs through both."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, cast

import httpx2

from tests.harness import Gateway
from tests.selections import CUSTOMER, everything
from tests.streams import Stream

Kind = Literal["addresses", "phoneNumbers"]
Json = dict[str, Any]

PATHS: dict[Kind, str] = {"addresses": "addresses", "phoneNumbers": "phone-numbers"}
NAMES: dict[Kind, str] = {"addresses": "Address", "phoneNumbers": "PhoneNumber"}
OPERATION = """id kind status done total failed counts { outcome count } dryRun cancelRequested createdAt updatedAt
    errors { line problem { slug title status code detail fields errors { field pointer message } } }"""


@dataclass(frozen=True)
class Token:
    """The version of a customer as each door shows it."""

    id: str
    etag: str
    version: int


@dataclass(frozen=True)
class Outcome:
    """What came of a step: a document as both doors know it, or a problem as both name it."""

    document: Any = None
    version: int | None = None
    problem: tuple[str, int, int] | None = None
    faults: tuple[tuple[str, str], ...] = ()


def dry_outcome(document: Json) -> Outcome:
    """Return the outcome of a dry run: what would be, without the ids that parts would get."""
    bare = dict(document)
    for kind in PATHS:
        bare[kind] = [{name: value for name, value in part.items() if name != "id"} for part in document[kind]]
    return Outcome(bare)


def problem_outcome(members: Json) -> Outcome:
    """Return the outcome that a problem's members tell: slug, code, status and faults; of a batch those of each."""
    slug = str(members["type"]).rsplit("/", 1)[-1]
    faults = tuple((fault["field"], fault["message"]) for fault in members.get("errors", ()))
    failed = [(one["index"], one["op"], _told(one["problem"])) for one in members.get("failures", ())]
    return Outcome(failed or None, problem=(slug, members["code"], members["status"]), faults=tuple(sorted(faults)))


def batch_outcome(results: list[Json]) -> Outcome:
    """Return the outcome of a batch: of each operation its kind, its status, and the version or the problem."""
    return Outcome(
        [
            (
                one["op"].lower(),
                one["status"],
                _told(one["problem"]) if one.get("problem") else _version(one.get("etag")),
            )
            for one in results
        ]
    )


def _told(problem: Json) -> Any:
    outcome = problem_outcome(problem)
    return (outcome.problem, outcome.faults)


def _version(tag: str | None) -> str | None:
    return tag and tag.partition("-")[0]


@dataclass(frozen=True)
class Step:
    """An operation of a batch: of a new customer its body, of an old one its token and what is to become of it."""

    op: Literal["create", "replace", "update", "delete"]
    token: Token | None = None
    body: Json = field(default_factory=dict)
    loose: bool = False
    """Whether a deletion does not say of which version."""


class Door(Protocol):
    """What both doors can do; `token` None changes whatever is there, where that is allowed."""

    def asked_by(self, http: httpx2.Client) -> Door: ...
    def create(self, body: Json, *, dry: bool = False) -> Outcome: ...
    def customer(self, customer_id: str) -> Outcome: ...
    def by_email(self, email: str) -> Outcome: ...
    def several(self, ids: list[str]) -> Outcome: ...
    def page(self, number: int, size: int) -> Outcome: ...
    def walk(self, size: int) -> Outcome: ...
    def count(self) -> Outcome: ...
    def search(self, words: str, field: str, value: str, wanted: str) -> Outcome: ...
    def explain(self, last_name: str) -> Outcome: ...
    def batch(self, steps: list[Step], *, atomic: bool = True, dry: bool = False) -> Outcome: ...
    def replace_many(self, steps: list[Step]) -> Outcome: ...
    def update_many(self, steps: list[Step]) -> Outcome: ...
    def replace(self, token: Token, body: Json, *, dry: bool = False) -> Outcome: ...
    def update(self, token: Token, patch: Json, *, dry: bool = False) -> Outcome: ...
    def delete(self, customer_id: str, token: Token | None, *, dry: bool = False) -> Outcome: ...
    def parts(self, kind: Kind, customer_id: str) -> Outcome: ...
    def part(self, kind: Kind, customer_id: str, part_id: str) -> Outcome: ...
    def add_part(self, kind: Kind, customer_id: str, token: Token | None, body: Json) -> Outcome: ...
    def replace_part(self, kind: Kind, token: Token, part_id: str, body: Json) -> Outcome: ...
    def update_part(self, kind: Kind, token: Token, part_id: str, patch: Json) -> Outcome: ...
    def remove_part(self, kind: Kind, customer_id: str, token: Token | None, part_id: str) -> Outcome: ...
    def replace_parts(self, kind: Kind, token: Token, bodies: list[Json]) -> Outcome: ...
    def update_parts(self, kind: Kind, token: Token, bodies: list[Json]) -> Outcome: ...
    def preferences(self, customer_id: str) -> Outcome: ...
    def replace_preferences(self, token: Token, body: Json) -> Outcome: ...
    def set_preferences(self, token: Token, patch: Json) -> Outcome: ...
    def watch(self, after: str, ids: list[str], types: list[str], count: int) -> Outcome: ...
    def viewer(self) -> Outcome: ...
    def delete_many(self, last_name: str | None, *, everything: bool = False, dry: bool = False) -> Outcome: ...
    def operation(self, operation_id: str) -> Outcome: ...
    def operations(self) -> Outcome: ...
    def cancel(self, operation_id: str) -> Outcome: ...


@dataclass(frozen=True)
class RestDoor:
    """The gateway through REST."""

    gateway: Gateway
    http: httpx2.Client

    def asked_by(self, http: httpx2.Client) -> Door:
        return RestDoor(self.gateway, http)

    def _ask(self, method: str, path: str, token: Token | None = None, **options: Any) -> httpx2.Response:
        headers = {"If-Match": token.etag} if token else {}
        dry = options.pop("dry", False)
        params = {**options.pop("params", {}), **({"dryRun": "true"} if dry else {})}
        return self.http.request(method, f"/api/v1{path}", headers=headers, params=params, **options)

    def _outcome(self, response: httpx2.Response, customer_id: str | None, *, dry: bool = False) -> Outcome:
        if response.is_error:
            return problem_outcome(response.json())
        if dry:
            return dry_outcome(response.json())
        return self.customer(customer_id or response.json()["id"])

    def create(self, body: Json, *, dry: bool = False) -> Outcome:
        return self._outcome(self._ask("POST", "/customers", json=body, dry=dry), None, dry=dry)

    def customer(self, customer_id: str) -> Outcome:
        response = self._ask("GET", f"/customers/{customer_id}")
        if response.status_code in {404, 410}:
            return Outcome()
        if response.is_error:
            return problem_outcome(response.json())
        body = response.json()
        for kind, path in PATHS.items():
            body[kind] = self._ask("GET", f"/customers/{customer_id}/{path}").json()["content"]
        return Outcome(body, token_of(self.gateway, customer_id).version)

    def by_email(self, email: str) -> Outcome:
        found = self._ask("GET", "/customers", params={"email": email}).json()["content"]
        return self.customer(found[0]["id"]) if found else Outcome()

    def several(self, ids: list[str]) -> Outcome:
        response = self._ask("GET", "/customers", params={"id": ids, "size": 100})
        if response.is_error:
            return problem_outcome(response.json())
        return Outcome(sorted(customer["id"] for customer in response.json()["content"]))

    def page(self, number: int, size: int) -> Outcome:
        response = self._ask("GET", "/customers", params={"page": number, "size": size})
        if response.is_error:
            return problem_outcome(response.json())
        body = response.json()
        return Outcome([[customer["id"] for customer in body["content"]], body["page"]])

    def walk(self, size: int) -> Outcome:
        ids, cursor = [], ""
        while True:
            response = self._ask("GET", "/customers", params={"cursor": cursor, "size": size})
            if response.is_error:
                return problem_outcome(response.json())
            ids += [customer["id"] for customer in response.json()["content"]]
            if "Next-Cursor" not in response.headers:
                return Outcome(ids)
            cursor = response.headers["Next-Cursor"]

    def search(self, words: str, field: str, value: str, wanted: str) -> Outcome:
        body = {"q": words, "filter": f"{field} eq '{value}'", "sort": ["lastName,desc"], "size": 100}
        found = self._ask("POST", "/customers:search", json=body).json()["content"]
        return Outcome([customer["id"] == wanted for customer in found if customer["id"] == wanted])

    def explain(self, last_name: str) -> Outcome:
        asked = {"lastName": last_name, "explain": True, "cursor": ""}
        plan = self._ask("GET", "/customers", params=asked).json()["explain"]
        return Outcome([plan["indexes"], plan["sorts"], plan["scansCollection"], plan["query"]["filter"]])

    def count(self) -> Outcome:
        return Outcome(self._ask("GET", "/customers", params={"size": 1}).json()["page"]["totalElements"])

    def replace(self, token: Token, body: Json, *, dry: bool = False) -> Outcome:
        return self._outcome(self._ask("PUT", f"/customers/{token.id}", token, json=body, dry=dry), token.id, dry=dry)

    def update(self, token: Token, patch: Json, *, dry: bool = False) -> Outcome:
        return self._outcome(
            self._ask("PATCH", f"/customers/{token.id}", token, json=patch, dry=dry), token.id, dry=dry
        )

    def batch(self, steps: list[Step], *, atomic: bool = True, dry: bool = False) -> Outcome:
        body = {"operations": [{"op": one.op, **_rest_step(one)} for one in steps], "atomic": atomic}
        return self._results(self._ask("POST", "/customers:batch", json=body, dry=dry))

    def replace_many(self, steps: list[Step]) -> Outcome:
        return self._results(self._ask("PUT", "/customers", json=[_rest_step(one) for one in steps]))

    def update_many(self, steps: list[Step]) -> Outcome:
        return self._results(self._ask("PATCH", "/customers", json=[_rest_step(one) for one in steps]))

    def _results(self, response: httpx2.Response) -> Outcome:
        return problem_outcome(response.json()) if response.is_error else batch_outcome(response.json()["results"])

    def delete(self, customer_id: str, token: Token | None, *, dry: bool = False) -> Outcome:
        response = self._ask("DELETE", f"/customers/{customer_id}", token, dry=dry)
        return problem_outcome(response.json()) if response.is_error else self.customer(customer_id)

    def parts(self, kind: Kind, customer_id: str) -> Outcome:
        response = self._ask("GET", f"/customers/{customer_id}/{PATHS[kind]}")
        return Outcome() if response.is_error else Outcome(response.json()["content"])

    def part(self, kind: Kind, customer_id: str, part_id: str) -> Outcome:
        response = self._ask("GET", f"/customers/{customer_id}/{PATHS[kind]}/{part_id}")
        if response.status_code == 404:
            return Outcome()
        return problem_outcome(response.json()) if response.is_error else Outcome(response.json())

    def add_part(self, kind: Kind, customer_id: str, token: Token | None, body: Json) -> Outcome:
        return self._outcome(
            self._ask("POST", f"/customers/{customer_id}/{PATHS[kind]}", token, json=body), customer_id
        )

    def _at_part(self, method: str, kind: Kind, token: Token, part_id: str, body: Json) -> Outcome:
        path = f"/customers/{token.id}/{PATHS[kind]}/{part_id}"
        return self._outcome(self._ask(method, path, token, json=body), token.id)

    def replace_part(self, kind: Kind, token: Token, part_id: str, body: Json) -> Outcome:
        return self._at_part("PUT", kind, token, part_id, body)

    def update_part(self, kind: Kind, token: Token, part_id: str, patch: Json) -> Outcome:
        return self._at_part("PATCH", kind, token, part_id, patch)

    def remove_part(self, kind: Kind, customer_id: str, token: Token | None, part_id: str) -> Outcome:
        return self._outcome(
            self._ask("DELETE", f"/customers/{customer_id}/{PATHS[kind]}/{part_id}", token), customer_id
        )

    def replace_parts(self, kind: Kind, token: Token, bodies: list[Json]) -> Outcome:
        return self._outcome(self._ask("PUT", f"/customers/{token.id}/{PATHS[kind]}", token, json=bodies), token.id)

    def update_parts(self, kind: Kind, token: Token, bodies: list[Json]) -> Outcome:
        return self._outcome(self._ask("PATCH", f"/customers/{token.id}/{PATHS[kind]}", token, json=bodies), token.id)

    def preferences(self, customer_id: str) -> Outcome:
        response = self._ask("GET", f"/customers/{customer_id}/notification-preferences")
        return Outcome() if response.is_error else Outcome(response.json())

    def replace_preferences(self, token: Token, body: Json) -> Outcome:
        path = f"/customers/{token.id}/notification-preferences"
        return self._outcome(self._ask("PUT", path, token, json=body), token.id)

    def set_preferences(self, token: Token, patch: Json) -> Outcome:
        path = f"/customers/{token.id}/notification-preferences"
        return self._outcome(self._ask("PATCH", path, token, json=patch), token.id)

    def viewer(self) -> Outcome:
        response = self._ask("GET", "/viewer")
        return problem_outcome(response.json()) if response.is_error else Outcome(response.json())

    def watch(self, after: str, ids: list[str], types: list[str], count: int) -> Outcome:
        params = {**({"ids": [",".join(ids)]} if ids else {}), "types": [f"customer.{name}" for name in types]}
        headers = {"Last-Event-ID": after}
        with self.http.stream("GET", "/api/v1/customer-events", params=params, headers=headers) as response:
            if response.is_error:
                return problem_outcome(json.loads(response.read()))
            stream = Stream(response)
            return Outcome([stream.next().json for _ in range(count)])

    def delete_many(self, last_name: str | None, *, everything: bool = False, dry: bool = False) -> Outcome:
        params = {"lastName": last_name, "confirm": "all" if everything else None}
        given = {name: value for name, value in params.items() if value is not None}
        response = self._ask("DELETE", "/customers", params=given, dry=dry)
        return problem_outcome(response.json()) if response.is_error else Outcome(response.json()["deleted"])

    def operation(self, operation_id: str) -> Outcome:
        response = self._ask("GET", f"/operations/{operation_id}")
        if response.status_code == 404:
            return Outcome()
        return problem_outcome(response.json()) if response.is_error else Outcome(told_operation(response.json()))

    def operations(self) -> Outcome:
        return Outcome([told_operation(one) for one in self._ask("GET", "/operations").json()["content"]])

    def cancel(self, operation_id: str) -> Outcome:
        response = self._ask("POST", f"/operations/{operation_id}:cancel")
        return problem_outcome(response.json()) if response.is_error else Outcome(told_operation(response.json()))


def told_operation(shown: Json) -> Json:
    """Return an operation of either door in one form; problems by their slug."""
    counts, errors = shown["counts"], []
    for error in shown["errors"]:
        problem = {"fields": [], "errors": [], **error["problem"]}
        slug = problem.pop("slug", None) or problem.pop("type").rpartition("/")[2]
        errors.append({"line": error["line"], "problem": {**problem, "slug": slug}})
    if isinstance(counts, list):
        counts = {one["outcome"]: one["count"] for one in counts}
    lowered = {name: shown[name].lower() for name in ("kind", "status")}
    return {**shown, **lowered, "counts": counts, "errors": errors}


@dataclass(frozen=True)
class GraphQLDoor:
    """The gateway through GraphQL; `shown` is selected of customers that are changed."""

    gateway: Gateway
    http: httpx2.Client
    shown: str = CUSTOMER

    def asked_by(self, http: httpx2.Client) -> Door:
        return replace(self, http=http)

    def _ask(self, document: str, **variables: Any) -> Any:
        answer = self.http.post("/graphql", json={"query": document, "variables": variables}).json()
        if "errors" in answer:
            return problem_outcome(answer["errors"][0]["extensions"])
        return next(iter(answer["data"].values()))

    def _change(self, field: str, declared: str, given: str, **variables: Any) -> Outcome:
        shown = CUSTOMER if field == "createCustomer" else self.shown
        document = f"mutation({declared}) {{ {field}({given}) {{ {shown} }} }}"
        outcome = _as_outcome(self._ask(document, **variables))
        return dry_outcome(outcome.document) if variables.get("dry") and outcome.document else outcome

    def create(self, body: Json, *, dry: bool = False) -> Outcome:
        return self._change(
            "createCustomer", "$input: CreateCustomerInput!, $dry: Boolean!", "input: $input, dryRun: $dry",
            input=upper(body), dry=dry,
        )  # fmt: skip

    def customer(self, customer_id: str) -> Outcome:
        return _as_outcome(self._ask(f"query($id: ID!) {{ customer(id: $id) {{ {CUSTOMER} }} }}", id=customer_id))

    def by_email(self, email: str) -> Outcome:
        document = f"query($email: String!) {{ customerByEmail(email: $email) {{ {CUSTOMER} }} }}"
        return _as_outcome(self._ask(document, email=email))

    def several(self, ids: list[str]) -> Outcome:
        found = self._ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
        return found if isinstance(found, Outcome) else Outcome(sorted(node["id"] for node in found if node))

    def page(self, number: int, size: int) -> Outcome:
        fields = "items { id } page { page size totalElements totalPages }"
        found = self._ask(
            f"query($page: Int!, $size: Int!) {{ customerPage(page: $page, size: $size) {{ {fields} }} }}",
            page=number, size=size,
        )  # fmt: skip
        if isinstance(found, Outcome):
            return found
        return Outcome([[item["id"] for item in found["items"]], found["page"]])

    def walk(self, size: int) -> Outcome:
        ids: list[str] = []
        after = None
        while True:
            found = self._ask(
                "query($first: Int!, $after: String) { customers(first: $first, after: $after) "
                "{ edges { node { id } } pageInfo { hasNextPage endCursor } } }",
                first=size, after=after,
            )  # fmt: skip
            if isinstance(found, Outcome):
                return found
            ids += [edge["node"]["id"] for edge in found["edges"]]
            if not found["pageInfo"]["hasNextPage"]:
                return Outcome(ids)
            after = found["pageInfo"]["endCursor"]

    def search(self, words: str, field: str, value: str, wanted: str) -> Outcome:
        found = self._ask(
            """query($words: String, $filter: CustomerFilter, $order: [CustomerOrder!]) {
              customers(first: 100, search: $words, filter: $filter, orderBy: $order) { nodes { id } } }""",
            words=words, filter={field: {"eq": value}}, order=[{"field": "LAST_NAME", "direction": "DESC"}],
        )  # fmt: skip
        return Outcome([node["id"] == wanted for node in found["nodes"] if node["id"] == wanted])

    def explain(self, last_name: str) -> Outcome:
        plan = self._ask(
            "query($f: CustomerFilter) { explainCustomers(filter: $f) { query indexes sorts scansCollection } }",
            f={"lastName": {"eq": last_name}},
        )
        return Outcome([plan["indexes"], plan["sorts"], plan["scansCollection"], json.loads(plan["query"])["filter"]])

    def count(self) -> Outcome:
        return Outcome(self._ask("{ customers(first: 1) { totalCount } }")["totalCount"])

    def replace(self, token: Token, body: Json, *, dry: bool = False) -> Outcome:
        return self._change(
            "replaceCustomer",
            "$id: ID!, $input: CreateCustomerInput!, $version: Int!, $dry: Boolean!",
            "id: $id, input: $input, ifVersion: $version, dryRun: $dry",
            id=token.id, input=upper(body), version=token.version, dry=dry,
        )  # fmt: skip

    def update(self, token: Token, patch: Json, *, dry: bool = False) -> Outcome:
        return self._change(
            "updateCustomer",
            "$id: ID!, $patch: UpdateCustomerInput!, $version: Int!, $dry: Boolean!",
            "id: $id, patch: $patch, ifVersion: $version, dryRun: $dry",
            id=token.id, patch=upper(patch), version=token.version, dry=dry,
        )  # fmt: skip

    def batch(self, steps: list[Step], *, atomic: bool = True, dry: bool = False) -> Outcome:
        found = self._ask(
            "mutation($operations: [CustomerOperation!]!, $atomic: Boolean!, $dry: Boolean!) { batchCustomers("
            "operations: $operations, atomic: $atomic, dryRun: $dry) { results { op status id version etag problem "
            "{ type title status detail code errors { field pointer message } } } } }",
            operations=[{one.op: _graphql_step(one)} for one in steps], atomic=atomic, dry=dry,
        )  # fmt: skip
        if isinstance(found, Outcome):
            return found
        hidden = [{**one, "etag": None} for one in found["results"]]  # REST shows no ETag of what is not stored
        return batch_outcome(hidden if dry else found["results"])

    def replace_many(self, steps: list[Step]) -> Outcome:
        return self.batch(steps, atomic=False)

    def update_many(self, steps: list[Step]) -> Outcome:
        return self.batch(steps, atomic=False)

    def delete(self, customer_id: str, token: Token | None, *, dry: bool = False) -> Outcome:
        found = self._ask(
            "mutation($id: ID!, $version: Int, $dry: Boolean!) "
            "{ deleteCustomer(id: $id, ifVersion: $version, dryRun: $dry) { id version deletedAt } }",
            id=customer_id, version=token.version if token else None, dry=dry,
        )  # fmt: skip
        return found if isinstance(found, Outcome) else self.customer(customer_id)

    def parts(self, kind: Kind, customer_id: str) -> Outcome:
        found = self.customer(customer_id)
        return Outcome(found.document[kind]) if found.document else Outcome()

    def part(self, kind: Kind, customer_id: str, part_id: str) -> Outcome:
        field, fields = (
            ("address", everything("Address")) if kind == "addresses" else ("phoneNumber", everything("PhoneNumber"))
        )
        found = self._ask(
            f"query($id: ID!, $part: ID!) {{ customer(id: $id) {{ part: {field}(id: $part) {{ {fields} }} }} }}",
            id=customer_id, part=part_id,
        )  # fmt: skip
        if isinstance(found, Outcome):
            return found
        return Outcome(lower(found["part"]) if found and found["part"] else None)

    def add_part(self, kind: Kind, customer_id: str, token: Token | None, body: Json) -> Outcome:
        return self._change(
            f"add{NAMES[kind]}", f"$id: ID!, $input: {NAMES[kind]}Input!, $version: Int",
            "customerId: $id, input: $input, ifVersion: $version",
            id=customer_id, input=upper(body), version=token.version if token else None,
        )  # fmt: skip

    def replace_part(self, kind: Kind, token: Token, part_id: str, body: Json) -> Outcome:
        return self._change(
            f"replace{NAMES[kind]}", f"$id: ID!, $part: ID!, $input: {NAMES[kind]}Input!, $version: Int!",
            "customerId: $id, id: $part, input: $input, ifVersion: $version",
            id=token.id, part=part_id, input=upper(body), version=token.version,
        )  # fmt: skip

    def update_part(self, kind: Kind, token: Token, part_id: str, patch: Json) -> Outcome:
        return self._change(
            f"update{NAMES[kind]}", f"$id: ID!, $part: ID!, $patch: Update{NAMES[kind]}Input!, $version: Int!",
            "customerId: $id, id: $part, patch: $patch, ifVersion: $version",
            id=token.id, part=part_id, patch=upper(patch), version=token.version,
        )  # fmt: skip

    def remove_part(self, kind: Kind, customer_id: str, token: Token | None, part_id: str) -> Outcome:
        return self._change(
            f"remove{NAMES[kind]}", "$id: ID!, $part: ID!, $version: Int",
            "customerId: $id, id: $part, ifVersion: $version",
            id=customer_id, part=part_id, version=token.version if token else None,
        )  # fmt: skip

    def replace_parts(self, kind: Kind, token: Token, bodies: list[Json]) -> Outcome:
        many = "Addresses" if kind == "addresses" else "PhoneNumbers"
        return self._change(
            f"replace{many}", f"$id: ID!, $input: [{NAMES[kind]}Input!]!, $version: Int!",
            "customerId: $id, input: $input, ifVersion: $version",
            id=token.id, input=[upper(body) for body in bodies], version=token.version,
        )  # fmt: skip

    def update_parts(self, kind: Kind, token: Token, bodies: list[Json]) -> Outcome:
        return self.update(token, {kind: bodies})

    def preferences(self, customer_id: str) -> Outcome:
        found = self.customer(customer_id)
        return Outcome(found.document["notificationPreferences"]) if found.document else Outcome()

    def replace_preferences(self, token: Token, body: Json) -> Outcome:
        return self._change(
            "replaceNotificationPreferences", "$id: ID!, $input: NotificationPreferencesReplacement!, $version: Int!",
            "customerId: $id, input: $input, ifVersion: $version", id=token.id, input=body, version=token.version,
        )  # fmt: skip

    def set_preferences(self, token: Token, patch: Json) -> Outcome:
        return self._change(
            "setNotificationPreferences", "$id: ID!, $patch: NotificationPreferencesInput!, $version: Int!",
            "customerId: $id, patch: $patch, ifVersion: $version", id=token.id, patch=patch, version=token.version,
        )  # fmt: skip

    def viewer(self) -> Outcome:
        found = self._ask("{ viewer { id name scopes quota { name limit left window reset } } }")
        return found if isinstance(found, Outcome) else Outcome(found)

    def watch(self, after: str, ids: list[str], types: list[str], count: int) -> Outcome:
        document = """subscription($after: ID, $ids: [ID!], $types: [CustomerEventType!]) {
            customerChanged(after: $after, ids: $ids, types: $types) {
                id type timestamp customerId version changed } }"""
        variables = {"after": after, "ids": ids or None, "types": [name.upper() for name in types] or None}
        asked, headers = {"query": document, "variables": variables}, {"Accept": "text/event-stream"}
        with self.http.stream("POST", "/graphql", json=asked, headers=headers) as response:
            if response.is_error:
                return problem_outcome(json.loads(response.read())["errors"][0]["extensions"])
            stream = Stream(response)
            return Outcome([_as_event(stream.next().json["data"]["customerChanged"]) for _ in range(count)])

    def delete_many(self, last_name: str | None, *, everything: bool = False, dry: bool = False) -> Outcome:
        found = self._ask(
            "mutation($f: CustomerFilter, $all: Confirmation, $dry: Boolean!) "
            "{ deleteCustomers(filter: $f, confirm: $all, dryRun: $dry) { deleted } }",
            f={"lastName": {"eq": last_name}} if last_name else None, all="ALL" if everything else None, dry=dry,
        )  # fmt: skip
        return found if isinstance(found, Outcome) else Outcome(found["deleted"])

    def operation(self, operation_id: str) -> Outcome:
        found = self._ask(f"query($id: ID!) {{ operation(id: $id) {{ {OPERATION} }} }}", id=operation_id)
        return found if isinstance(found, Outcome) else Outcome(told_operation(found) if found else None)

    def operations(self) -> Outcome:
        return Outcome([told_operation(one) for one in self._ask(f"{{ operations {{ {OPERATION} }} }}")])

    def cancel(self, operation_id: str) -> Outcome:
        found = self._ask(f"mutation($id: ID!) {{ cancelOperation(id: $id) {{ {OPERATION} }} }}", id=operation_id)
        return found if isinstance(found, Outcome) else Outcome(told_operation(found))


def _rest_step(step: Step) -> Json:
    body = {} if step.op == "delete" else {"patch" if step.op == "update" else "customer": step.body}
    if step.token is None:
        return body
    return {"id": step.token.id, **({} if step.loose else {"ifMatch": step.token.etag}), **body}


def _graphql_step(step: Step) -> Json:
    if step.token is None:
        return cast("Json", upper(step.body))
    body = {} if step.op == "delete" else {"patch" if step.op == "update" else "input": upper(step.body)}
    return {"id": step.token.id, **({} if step.loose else {"ifVersion": step.token.version}), **body}


def _as_event(told: Json) -> Json:
    """Return an event of GraphQL as REST shows it."""
    data = {name: told[name] for name in ("customerId", "version", "changed")}
    kind = f"customer.{told['type'].lower()}"
    return {"id": told["id"], "type": kind, "timestamp": told["timestamp"], "data": data}


def _as_outcome(found: Any) -> Outcome:
    if isinstance(found, Outcome):
        return found
    if found is None:
        return Outcome()
    document = lower({name: value for name, value in found.items() if name not in {"version", "etag"}})
    return Outcome(document, found["version"])


def upper(value: Any) -> Any:
    """Return a body of REST as GraphQL takes it: the kinds of parts in upper case."""
    return _with_types(value, str.upper)


def lower(value: Any) -> Any:
    """Return a document of GraphQL as REST shows it."""
    return _with_types(value, str.lower)


def _with_types(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: change(item) if name == "type" and isinstance(item, str) else _with_types(item, change)
            for name, item in value.items()
        }
    return [_with_types(item, change) for item in value] if isinstance(value, list) else value


def token_of(gateway: Gateway, customer_id: str) -> Token:
    """Return the present version of a customer as GraphQL shows it, and see that REST shows the same."""
    found = gateway.data("query($id: ID!) { customer(id: $id) { etag version } }", id=customer_id)["customer"]
    tag = gateway.http.get(f"/api/v1/customers/{customer_id}").headers["ETag"]
    assert found["etag"] == tag
    return Token(customer_id, tag, cast("int", found["version"]))
