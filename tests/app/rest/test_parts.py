"""Addresses and phone numbers as resources of their own; both kinds are held to the same sentences."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests import factories
from tests.harness import Gateway

STRICT = {"Prefer": "handling=strict"}


@dataclass(frozen=True)
class Kind:
    path: str
    name: str
    make: Callable[..., dict[str, Any]]
    text: str


KINDS = [
    Kind("addresses", "addresses", factories.address, "city"),
    Kind("phone-numbers", "phoneNumbers", factories.phone_number, "extension"),
]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.path))


@dataclass(frozen=True)
class Parts:
    """One customer's parts of one kind, over REST."""

    gateway: Gateway
    kind: Kind
    customer_id: str

    @property
    def url(self) -> str:
        return f"/api/v1/customers/{self.customer_id}/{self.kind.path}"

    def tag(self) -> str:
        return str(self.gateway.http.get(self.url).headers["ETag"])

    def content(self) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = self.gateway.http.get(self.url).json()["content"]
        return content

    def ids(self) -> list[str]:
        return [part["id"] for part in self.content()]

    def send(self, method: str, below: str = "", *, tag: str | None = None, **options: Any) -> httpx2.Response:
        headers = {"If-Match": tag or self.tag(), **options.pop("headers", {})}
        return self.gateway.http.request(method, self.url + below, headers=headers, **options)


def parts(gateway: Gateway, kind: Kind, *items: dict[str, Any]) -> Parts:
    body = gateway.create(**{kind.name: list(items) or [kind.make()]})
    return Parts(gateway, kind, body["id"])


def without_id(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "id"}


@each_kind
def test_the_collection_shows_each_part_with_its_id(gateway: Gateway, kind: Kind) -> None:
    items = [kind.make(), kind.make(**{kind.text: "Berlin"})]
    of = parts(gateway, kind, *items)
    assert [without_id(part) for part in of.content()] == items
    assert len({uuid.UUID(part) for part in of.ids()}) == 2


@each_kind
def test_the_full_customer_shows_no_ids_of_parts(gateway: Gateway, kind: Kind) -> None:
    assert "id" not in gateway.create()[kind.name][0]


@each_kind
def test_post_adds_a_part_at_the_end_and_says_where_it_is(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    old = of.ids()
    response = gateway.http.post(of.url, json=kind.make(**{kind.text: "Berlin"}))
    assert response.status_code == 201
    body = response.json()
    assert response.headers["Location"] == f"{of.url}/{body['id']}"
    assert of.ids() == [*old, body["id"]]
    read = gateway.http.get(response.headers["Location"])
    assert (read.json(), read.headers["ETag"]) == (body, response.headers["ETag"])


@each_kind
def test_a_new_part_changes_the_version_of_its_customer(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    before = of.tag()
    gateway.http.post(of.url, json=kind.make())
    assert of.tag() != before
    assert gateway.http.get(f"/api/v1/customers/{of.customer_id}").headers["ETag"] == of.tag()


@each_kind
def test_post_honours_if_match(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    stale = of.tag()
    assert of.send("POST", json=kind.make(), tag=stale).status_code == 201
    assert of.send("POST", json=kind.make(), tag=stale).status_code == 412


@each_kind
def test_the_fifty_first_part_is_422(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind, *[kind.make()] * 50)
    response = gateway.http.post(of.url, json=kind.make())
    assert response.status_code == 422
    assert len(of.ids()) == 50


@each_kind
def test_put_replaces_one_part_and_keeps_its_id_and_the_others(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind, kind.make(), kind.make())
    first, second = of.ids()
    response = of.send("PUT", f"/{second}", json=kind.make(**{kind.text: "Berlin"}))
    assert response.status_code == 200
    assert response.json() == {"id": second, **kind.make(**{kind.text: "Berlin"})}
    assert [part["id"] for part in of.content()] == [first, second]
    assert of.content()[0][kind.text] != "Berlin"


@each_kind
@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
def test_merge_patch_changes_what_it_names_of_one_part(gateway: Gateway, kind: Kind, media_type: str) -> None:
    of = parts(gateway, kind)
    part_id = of.ids()[0]
    response = of.send(
        "PATCH", f"/{part_id}", content=f'{{"{kind.text}": "Berlin"}}', headers={"Content-Type": media_type}
    )
    assert response.status_code == 200
    assert response.json() == {"id": part_id, **kind.make(**{kind.text: "Berlin"})}


@each_kind
def test_json_patch_of_one_part_works_on_what_get_shows(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    part_id = of.ids()[0]
    patch = [
        {"op": "test", "path": "/id", "value": part_id},
        {"op": "replace", "path": f"/{kind.text}", "value": "7"},
    ]
    headers = {"Content-Type": "application/json-patch+json"}
    response = of.send("PATCH", f"/{part_id}", json=patch, headers=headers)
    assert response.status_code == 200, response.text
    assert response.json()[kind.text] == "7"


@each_kind
def test_json_patch_of_the_list_works_on_the_items_that_get_shows(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind, kind.make(**{kind.text: "1"}), kind.make(**{kind.text: "2"}))
    first, second = of.ids()
    patch = [{"op": "test", "path": "/1/id", "value": second}, {"op": "move", "from": "/1", "path": "/0"}]
    response = of.send("PATCH", json=patch, headers={"Content-Type": "application/json-patch+json"})
    assert response.status_code == 200, response.text
    assert [part["id"] for part in response.json()["content"]] == [second, first]


@each_kind
@pytest.mark.parametrize(
    ("method", "media_type"), [("PUT", "application/json"), ("PATCH", "application/merge-patch+json")]
)
def test_the_whole_list_may_be_replaced_and_equal_items_keep_their_ids(
    gateway: Gateway, kind: Kind, method: str, media_type: str
) -> None:
    one, two, three = (kind.make(**{kind.text: str(number)}) for number in range(3))
    of = parts(gateway, kind, one, two)
    first, second = of.ids()
    response = of.send(method, json=[two, three, one], headers={"Content-Type": media_type})
    assert response.status_code == 200, response.text
    new = [part["id"] for part in response.json()["content"]]
    assert (new[0], new[2]) == (second, first)
    assert new[1] not in {first, second}


@each_kind
def test_the_items_that_get_showed_may_be_put_as_they_are(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind, kind.make(), kind.make(**{kind.text: "7"}))
    before, tag = of.content(), of.tag()
    response = of.send("PUT", json=before, headers=STRICT)
    assert (response.status_code, response.json()["content"]) == (200, before)
    assert response.headers["ETag"] == tag


@each_kind
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_list_must_be_an_array_and_not_empty(gateway: Gateway, kind: Kind, method: str) -> None:
    of = parts(gateway, kind)
    tag = of.tag()
    assert of.send(method, json={"content": []}).status_code == 400
    assert of.send(method, json=[]).status_code == 422
    assert of.send(method, json=[kind.make()] * 51).status_code == 422
    assert of.tag() == tag


@each_kind
def test_a_list_that_is_too_long_is_told_that_and_not_the_faults_of_each_of_its_items(
    gateway: Gateway, kind: Kind
) -> None:
    response = parts(gateway, kind).send("PUT", json=[0] * 5000)
    assert (response.status_code, [fault["message"] for fault in response.json()["errors"]]) == (
        422,
        ["must have at most 50 items"],
    )


@each_kind
def test_all_faults_of_a_list_are_told_at_once_with_pointers_into_it(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    response = of.send("PUT", json=[kind.make(type="castle"), kind.make(), 7, {**kind.make(), "type": None}])
    assert response.status_code == 422
    found = {(fault["field"], fault["pointer"]) for fault in response.json()["errors"]}
    assert found == {("[0].type", "/0/type"), ("[2]", "/2"), ("[3].type", "/3/type")}


@each_kind
def test_delete_removes_one_part_and_answers_204_with_the_new_etag(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind, kind.make(), kind.make())
    first, second = of.ids()
    response = gateway.http.delete(f"{of.url}/{first}")
    assert (response.status_code, response.content) == (204, b"")
    assert of.ids() == [second]
    assert response.headers["ETag"] == of.tag()
    assert gateway.http.get(f"{of.url}/{first}").status_code == 404
    assert gateway.http.delete(f"{of.url}/{first}").status_code == 404


@each_kind
def test_delete_of_a_part_honours_if_match(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind, kind.make(), kind.make())
    stale, first = of.tag(), of.ids()[0]
    gateway.http.post(of.url, json=kind.make())
    assert of.send("DELETE", f"/{first}", tag=stale).status_code == 412
    assert of.send("DELETE", f"/{first}").status_code == 204


@each_kind
def test_the_last_part_and_the_whole_list_cannot_be_deleted(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    tag = of.tag()
    assert gateway.http.delete(f"{of.url}/{of.ids()[0]}").status_code == 422
    assert gateway.http.delete(of.url).status_code == 422
    assert of.tag() == tag


@each_kind
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("below", ["", "/{id}"])
def test_c024_a_change_of_parts_without_if_match_is_412(gateway: Gateway, kind: Kind, method: str, below: str) -> None:
    of = parts(gateway, kind)
    url = of.url + below.format(id=of.ids()[0])
    body: Any = kind.make() if below else [kind.make()]
    response = gateway.http.request(method, url, json=body)
    assert response.status_code == 412
    assert response.json()["type"].endswith("/problems/precondition-missing")


@each_kind
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_part_of_another_customer_is_404(gateway: Gateway, kind: Kind, method: str) -> None:
    of, other = parts(gateway, kind), parts(gateway, kind)
    body = kind.make() if method in {"PUT", "PATCH"} else None
    response = of.send(method, f"/{other.ids()[0]}", json=body)
    assert response.status_code == 404
    assert response.json()["resource"] == kind.path


@each_kind
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("part_id", ["0", "-", "first"])
def test_an_id_of_a_part_that_is_no_uuid_is_400(gateway: Gateway, kind: Kind, method: str, part_id: str) -> None:
    of = parts(gateway, kind)
    body = kind.make() if method in {"PUT", "PATCH"} else None
    response = of.send(method, f"/{part_id}", json=body)
    assert response.status_code == 400
    assert response.json()["type"].endswith("/problems/invalid-id")


@each_kind
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_parts_of_a_deleted_customer_are_gone_and_of_none_are_404(
    gateway: Gateway, kind: Kind, method: str
) -> None:
    of = parts(gateway, kind)
    tag = of.tag()
    gateway.http.delete(f"/api/v1/customers/{of.customer_id}")
    body = kind.make() if method == "POST" else [kind.make()] if method in {"PUT", "PATCH"} else None
    assert of.send(method, json=body, tag=tag).status_code == 410
    assert Parts(gateway, kind, str(uuid.uuid4())).send(method, json=body, tag=tag).status_code == 404


@each_kind
def test_under_strict_handling_unknown_properties_of_a_part_are_422(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    part_id, sent = of.ids()[0], {**kind.make(), "role": "admin"}
    for method, below, body in (
        ("POST", "", sent),
        ("PUT", "", [sent]),
        ("PUT", f"/{part_id}", sent),
        ("PATCH", f"/{part_id}", {"role": "admin"}),
    ):
        response = of.send(method, below, json=body, headers=STRICT)
        assert (response.status_code, response.json()["errors"][0]["field"][-4:]) == (422, "role")
        lenient = of.send(method, below, json=body)
        assert lenient.status_code in {200, 201}
        assert "role" not in lenient.text


@each_kind
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_id_of_a_part_cannot_be_changed(gateway: Gateway, kind: Kind, method: str) -> None:
    of = parts(gateway, kind)
    part_id, sent = of.ids()[0], {**kind.make(), "id": str(uuid.uuid4())}
    strict = of.send(method, f"/{part_id}", json=sent, headers=STRICT)
    assert (strict.status_code, strict.json()["errors"][0]["pointer"]) == (422, "/id")
    lenient = of.send(method, f"/{part_id}", json=sent)
    assert (lenient.status_code, lenient.json()["id"]) == (200, part_id)


@each_kind
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_under_strict_handling_an_id_that_a_part_of_a_list_would_not_keep_is_422(
    gateway: Gateway, kind: Kind, method: str
) -> None:
    """Parts that are changed and change places get each other's ids: whoever is strict is told, and not surprised."""
    of = parts(gateway, kind, kind.make(**{kind.text: "1"}), kind.make(**{kind.text: "2"}))
    one, two = of.content()
    kept = [{**one, kind.text: "3"}, two], [two, one], [one, kind.make(**{kind.text: "4"})]
    for sent in kept:
        assert of.send(method, "?dryRun=true", json=sent, headers=STRICT).status_code == 200
    crossed = [{**two, kind.text: "5"}, {**one, kind.text: "6"}]
    strict = of.send(method, "", json=crossed, headers=STRICT)
    assert strict.status_code == 422
    assert [(fault["pointer"], fault["message"][:18]) for fault in strict.json()["errors"]] == [
        ("/0/id", "is made by the ser"),
        ("/1/id", "is made by the ser"),
    ]
    assert of.content() == [one, two]
    assert of.send(method, "", json=[{**one, "id": "mine"}], headers=STRICT).status_code == 422
    lenient = of.send(method, "", json=crossed)
    assert [part["id"] for part in lenient.json()["content"]] == [one["id"], two["id"]]


@each_kind
def test_under_strict_handling_a_json_patch_may_copy_a_part(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    headers = {**STRICT, "Content-Type": "application/json-patch+json"}
    copied = of.send("PATCH", "", json=[{"op": "copy", "from": "/0", "path": "/-"}], headers=headers)
    assert (copied.status_code, len(copied.json()["content"])) == (200, 2)
    added = [{"op": "add", "path": "/-", "value": {**kind.make(), "id": str(uuid.uuid4())}}]
    refused = of.send("PATCH", "", json=added, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/0/value/id")


@each_kind
def test_an_equal_part_changes_nothing(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind)
    tag, part = of.tag(), of.content()[0]
    response = of.send("PUT", f"/{part['id']}", json=part, headers=STRICT)
    assert (response.status_code, response.headers["ETag"]) == (200, tag)


@each_kind
def test_the_enveloped_collection_has_its_name_and_pagination(gateway: Gateway, kind: Kind) -> None:
    of = parts(gateway, kind, kind.make(), kind.make())
    body = gateway.http.get(of.url, headers={"Accept": "application/json;profile=enveloped"}).json()
    assert body == {
        kind.name: of.content(),
        "metadata": {"pagination": {"page": 1, "page_size": 2, "total_count": 2}},
    }
