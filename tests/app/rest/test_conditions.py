"""Conditional requests (RFC 9110 section 13): one token, strong comparison, one winner."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests import factories
from tests.harness import Gateway

CUSTOMERS = "/api/v1/customers"
ENVELOPED = "application/json;profile=enveloped"
ROUNDS = 6


def slug(response: httpx2.Response) -> str:
    return str(response.json()["type"]).rsplit("/", 1)[-1]


def resources(customer_id: str, gateway: Gateway) -> list[str]:
    """Every single resource of a customer."""
    base = f"{CUSTOMERS}/{customer_id}"
    lists = [f"{base}/addresses", f"{base}/phone-numbers"]
    items = [f"{url}/{gateway.http.get(url).json()['content'][0]['id']}" for url in lists]
    return [base, *lists, *items, f"{base}/notification-preferences"]


def test_c021_every_resource_has_a_strong_etag_in_either_representation(gateway: Gateway) -> None:
    for url in resources(gateway.create()["id"], gateway):
        for accept in ("application/json", ENVELOPED):
            tag = gateway.http.get(url, headers={"Accept": accept}).headers["ETag"]
            assert tag.startswith('"')
            assert tag.endswith('"')


def test_c021_every_change_answers_the_new_strong_etag(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url, seen = f"{CUSTOMERS}/{body['id']}", [tag]
    for method, sent in (("PUT", {**body, "firstName": "Bea"}), ("PATCH", {"firstName": "Cy"})):
        response = gateway.http.request(method, url, json=sent, headers={"If-Match": seen[-1]})
        assert response.headers["ETag"] == gateway.http.get(url).headers["ETag"]
        seen.append(response.headers["ETag"])
    assert len(set(seen)) == 3


def test_c021_what_changes_nothing_keeps_the_etag_and_the_time(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    for method, sent in (("PUT", body), ("PATCH", {}), ("PATCH", {"firstName": body["firstName"]})):
        response = gateway.http.request(method, url, json=sent, headers={"If-Match": tag})
        assert (response.status_code, response.headers["ETag"], response.json()) == (200, tag, body)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_c023_a_read_with_if_match_of_another_version_is_412_and_of_the_present_one_200(
    gateway: Gateway, method: str
) -> None:
    customer_id = gateway.create()["id"]
    urls = resources(customer_id, gateway)
    before = {url: gateway.http.get(url).headers["ETag"] for url in urls}
    gateway.http.patch(urls[0], json={"firstName": "Bea"}, headers={"If-Match": before[urls[0]]}).raise_for_status()
    for url in urls:
        now = gateway.http.get(url).headers["ETag"]
        for sent in (before[url], '"other"', f"W/{now}", f"{before[url]}, W/{now}", "no tag"):
            stale = gateway.http.request(method, url, headers={"If-Match": sent})
            assert (stale.status_code, stale.headers["ETag"]) == (412, before[urls[0]].replace("v1", "v2")), sent
            if method == "GET":
                assert (slug(stale), stale.json()["currentVersion"]) == ("precondition-failed", 2)
        for sent in (now, f"{before[url]}, {now}", "*"):
            assert gateway.http.request(method, url, headers={"If-Match": sent}).status_code == 200, sent
        both = {"If-Match": before[url], "If-None-Match": now}
        assert gateway.http.request(method, url, headers=both).status_code == 412, "If-Match comes first"
        assert gateway.http.request(method, url, headers={**both, "If-Match": now}).status_code == 304
    enveloped = gateway.http.get(urls[0], headers={"Accept": ENVELOPED, "If-Match": before[urls[0]]})
    assert (enveloped.status_code, enveloped.json()["errors"][0]["httpStatus"]) == (412, 412)


def test_c023_what_is_not_there_is_told_before_any_precondition(gateway: Gateway) -> None:
    url = f"{CUSTOMERS}/{gateway.create()['id']}"
    gateway.http.delete(url).raise_for_status()
    for path, status in ((url, 410), (f"{CUSTOMERS}/{uuid.uuid4()}", 404)):
        for sent in ("*", '"v1-00000000"'):
            assert gateway.http.get(path, headers={"If-Match": sent}).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other",W/{}', "{} ,", "*"])
def test_c022_if_none_match_of_the_present_tag_is_304(gateway: Gateway, method: str, form: str) -> None:
    body, _ = gateway.created()
    for url in resources(body["id"], gateway):
        full = gateway.http.get(url)
        headers = {"If-None-Match": form.format(full.headers["ETag"])}
        response = gateway.http.request(method, url, headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        for name in ("ETag", "Vary", "Cache-Control"):
            assert response.headers[name] == full.headers[name]
        assert "content-type" not in response.headers


@pytest.mark.parametrize("sent", ['"other"', "other", 'W/"v1"', '""', "{unquoted}"])
def test_c022_if_none_match_of_anything_else_is_200(gateway: Gateway, sent: str) -> None:
    body, tag = gateway.created()
    header = tag.strip('"') if sent == "{unquoted}" else sent
    response = gateway.http.get(f"{CUSTOMERS}/{body['id']}", headers={"If-None-Match": header})
    assert response.status_code == 200


def test_c022_a_tag_of_the_other_representation_is_not_304(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    response = gateway.http.get(url, headers={"If-None-Match": tag, "Accept": ENVELOPED})
    assert response.status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "form", ["W/{}", "{unquoted}", '"other"', '"v1"', "x{}", "{}x", '{} "x"', "W/ {}", "'{unquoted}'", '"*"', "*, {}"]
)
def test_c023_if_match_compares_strongly_and_what_is_no_tag_never_matches(
    gateway: Gateway, method: str, form: str
) -> None:
    body, tag = gateway.created()
    sent = form.replace("{unquoted}", tag.strip('"')).replace("{}", tag)
    json = body if method in {"PUT", "PATCH"} else None
    response = gateway.http.request(method, f"{CUSTOMERS}/{body['id']}", json=json, headers={"If-Match": sent})
    assert (response.status_code, slug(response)) == (412, "precondition-failed")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("form", ["{}", '"other", {}', '{} ,"other"', ",{}", "*"])
def test_c023_if_match_takes_a_list_and_a_star(gateway: Gateway, method: str, form: str) -> None:
    body, tag = gateway.created()
    json = body if method in {"PUT", "PATCH"} else None
    headers = {"If-Match": form.format(tag)}
    response = gateway.http.request(method, f"{CUSTOMERS}/{body['id']}", json=json, headers=headers)
    assert response.status_code in {200, 204}


def test_c023_several_if_match_headers_are_one_list(gateway: Gateway) -> None:
    body, tag = gateway.created()
    headers = httpx2.Headers([("If-Match", '"other"'), ("If-Match", tag)])
    assert gateway.http.patch(f"{CUSTOMERS}/{body['id']}", json={}, headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("headers", [{}, {"If-Match": ""}], ids=["absent", "empty"])
def test_c024_put_or_patch_without_if_match_is_412_and_says_so(
    gateway: Gateway, method: str, headers: dict[str, str]
) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    response = gateway.http.request(method, url, json={**body, "firstName": "Bea"}, headers=headers)
    problem = response.json()
    assert (response.status_code, slug(response)) == (412, "precondition-missing")
    assert "If-Match" in problem["detail"]
    assert (problem["currentETag"], response.headers["ETag"]) == (tag, tag)
    assert gateway.http.get(url).json() == body


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_an_if_match_without_a_tag_fits_no_version(gateway: Gateway, method: str) -> None:
    """A script whose variable was empty does not erase what somebody else has changed (RFC 9110 section 13.1.1)."""
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    path, json = (f"{url}/addresses", factories.address()) if method == "POST" else (url, None)
    response = gateway.http.request(method, path, json=json, headers={"If-Match": ""})
    assert (response.status_code, slug(response)) == (412, "precondition-failed")
    assert response.json()["detail"].startswith("No ETag that was sent is of this customer, whose version is now 1: ")
    assert gateway.http.get(url).headers["ETag"] == tag


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("form", ["*", "{}", "W/{}", '"other", {}'])
def test_c025_if_none_match_on_a_change_of_what_is_there_is_412(gateway: Gateway, method: str, form: str) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    headers = {"If-Match": tag, "If-None-Match": form.format(tag)}
    json = {**body, "firstName": "Bea"} if method != "DELETE" else None
    response = gateway.http.request(method, url, json=json, headers=headers)
    assert response.status_code == 412
    assert gateway.http.get(url).json() == body


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ({"If-Match": "{stale}"}, "The customer has changed: its version is now 2."),
        ({"If-Match": "{stale}", "If-None-Match": "*"}, "The customer has changed: its version is now 2."),
        ({"If-Match": "W/{now}"}, "No ETag that was sent is of this customer, whose version is now 2: "),
        ({"If-Match": "{bare}"}, "No ETag that was sent is of this customer, whose version is now 2: "),
        ({"If-Match": '"other"'}, "No ETag that was sent is of this customer, whose version is now 2: "),
        ({"If-Match": "{now}", "If-None-Match": "{now}"}, "The customer is there, at version 2, which If-None-Match"),
        ({"If-Match": "*", "If-None-Match": "*"}, "The customer is there, at version 2, which If-None-Match"),
    ],
)
def test_a_412_says_which_condition_does_not_hold(gateway: Gateway, conditions: dict[str, str], why: str) -> None:
    """Who sends a weak ETag is not told that somebody has changed the customer."""
    body, stale = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    now = gateway.http.patch(url, json={"firstName": "Bea"}, headers={"If-Match": stale}).headers["ETag"]
    headers = {name: form.format(stale=stale, now=now, bare=now.strip('"')) for name, form in conditions.items()}
    response = gateway.http.patch(url, json={"firstName": "Cyd"}, headers=headers)
    assert (response.status_code, slug(response)) == (412, "precondition-failed")
    assert response.json()["detail"].startswith(why)


def test_c025_if_none_match_of_another_version_lets_a_change_pass(gateway: Gateway) -> None:
    body, tag = gateway.created()
    headers = {"If-Match": tag, "If-None-Match": '"other"'}
    response = gateway.http.patch(f"{CUSTOMERS}/{body['id']}", json={"firstName": "Bea"}, headers=headers)
    assert response.status_code == 200


BAD = {"content": b"{", "headers": {"Content-Type": "application/json"}}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_c026_checks_come_in_the_order_caller_existence_if_match_if_none_match_body(
    gateway: Gateway, method: str
) -> None:
    body, tag = gateway.created()
    url, nowhere = f"{CUSTOMERS}/{body['id']}", f"{CUSTOMERS}/{uuid.uuid4()}"

    def status(at: str, client: httpx2.Client, **conditions: str) -> int:
        headers = {"Content-Type": "application/json", **conditions}
        return client.request(method, at, content=b"{", headers=headers).status_code

    stale = {"if-match": '"stale"', "if-none-match": "*"}
    with gateway.client() as stranger, gateway.with_scopes("customers:read") as reader:
        assert status(nowhere, stranger, **stale) == 401
        assert status(nowhere, reader, **stale) == 403
    assert status(nowhere, gateway.http, **stale) == 404
    assert status(url, gateway.http, **stale) == 412
    assert status(url, gateway.http, **{"if-match": tag, "if-none-match": "*"}) == 412
    assert status(url, gateway.http, **{"if-match": tag}) == 400
    assert gateway.http.get(url).headers["ETag"] == tag


def test_c026_a_stale_tag_beats_an_invalid_body(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    gateway.http.patch(url, json={"firstName": "Bea"}, headers={"If-Match": tag})
    assert gateway.http.put(url, json={"email": 7}, headers={"If-Match": tag}).status_code == 412


def test_a_412_names_the_present_etag_and_the_fields_that_differ(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    now = gateway.http.patch(url, json={"lastName": "Wheeler"}, headers={"If-Match": tag}).headers["ETag"]
    response = gateway.http.put(url, json={**body, "firstName": "Bea"}, headers={"If-Match": tag})
    problem = response.json()
    assert (response.headers["ETag"], problem["currentETag"]) == (now, now)
    assert set(problem["differingFields"]) == {"firstName", "lastName"}


def test_an_enveloped_412_tells_the_present_tag_and_what_differs_in_its_message(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url, enveloped = f"{CUSTOMERS}/{body['id']}", {"Accept": ENVELOPED}
    now = gateway.http.patch(url, json={"lastName": "Wheeler"}, headers={"If-Match": tag}).headers["ETag"]
    sent = {**body, "firstName": "Bea"}
    stale = gateway.http.put(url, json=sent, headers={"If-Match": tag, **enveloped})
    (error,) = stale.json()["errors"]
    assert error["message"].endswith(f"The present ETag is {now}. What was sent differs in firstName, lastName.")
    missing = gateway.http.put(url, json=sent, headers=enveloped)
    assert missing.json()["errors"][0]["message"].endswith(f"The present ETag is {now}.")
    batch = [{"id": body["id"], "ifMatch": tag, "patch": {"firstName": "Bea"}}]
    (result,) = gateway.http.patch(CUSTOMERS, json=batch, headers=enveloped).json()["results"]
    assert f"The present ETag is {now}. What was sent differs in firstName" in result["errors"][0]["message"]
    with gateway.with_scopes("customers:write") as writer:
        unread = writer.put(url, json=sent, headers={"If-Match": tag, **enveloped})
    assert unread.json()["errors"][0]["message"].endswith(f"The present ETag is {now}.")


def test_c069_a_412_tells_a_caller_who_may_not_read_nothing_of_the_fields(gateway: Gateway) -> None:
    body, _ = gateway.created()
    with gateway.with_scopes("customers:write") as writer:
        response = writer.put(f"{CUSTOMERS}/{body['id']}", json=factories.customer(), headers={"If-Match": '"stale"'})
    assert (response.status_code, response.json()["differingFields"]) == (412, [])


def test_c027_the_same_put_again_with_the_old_tag_makes_no_second_change(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url, sent = f"{CUSTOMERS}/{body['id']}", {**body, "firstName": "Bea"}
    first = gateway.http.put(url, json=sent, headers={"If-Match": tag})
    again = gateway.http.put(url, json=sent, headers={"If-Match": tag})
    assert (first.status_code, again.status_code) == (200, 412)
    assert gateway.http.get(url).headers["ETag"] == first.headers["ETag"]


def race(gateway: Gateway, pool: ThreadPoolExecutor, url: str, requests: list[dict[str, Any]]) -> list[httpx2.Response]:
    return list(pool.map(lambda options: gateway.http.request(url=url, **options), requests))


def version(gateway: Gateway, customer_id: str) -> int:
    found: int = gateway.data("query($id: ID!) { customer(id: $id) { version } }", id=customer_id)["customer"][
        "version"
    ]
    return found


def test_c028_of_64_parallel_puts_with_one_tag_exactly_one_wins_in_every_round(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    with ThreadPoolExecutor(64) as pool:
        for number in range(ROUNDS):
            requests = [
                {"method": "PUT", "json": {**body, "firstName": f"N{number}x{one}"}, "headers": {"If-Match": tag}}
                for one in range(64)
            ]
            answers = race(gateway, pool, url, requests)
            winners = [answer for answer in answers if answer.is_success]
            assert sorted({answer.status_code for answer in answers}) == [200, 412]
            assert len(winners) == 1
            present = gateway.http.get(url)
            assert (present.json(), present.headers["ETag"]) == (winners[0].json(), winners[0].headers["ETag"])
            tag = present.headers["ETag"]
    assert version(gateway, body["id"]) == 1 + ROUNDS


def test_c028_changes_that_are_good_for_any_version_lose_nothing(gateway: Gateway) -> None:
    body, _ = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    adds = [{"method": "POST", "json": factories.address(city=f"City {one}")} for one in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = race(gateway, pool, f"{url}/addresses", adds)
    assert {answer.status_code for answer in answers} == {201}
    cities = {address["city"] for address in gateway.http.get(url).json()["addresses"]}
    assert cities >= {f"City {one}" for one in range(20)}
    assert version(gateway, body["id"]) == 21


def test_c028_of_a_put_and_a_delete_that_race_with_one_tag_one_wins(gateway: Gateway) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            body, tag = gateway.created()
            put = {"method": "PUT", "json": {**body, "firstName": "Bea"}, "headers": {"If-Match": tag}}
            delete = {"method": "DELETE", "headers": {"If-Match": tag}}
            answers = race(gateway, pool, f"{CUSTOMERS}/{body['id']}", [put, delete] * 4)
            assert sum(answer.is_success for answer in answers) == 1
            assert {answer.status_code for answer in answers} <= {200, 204, 404, 410, 412}


def test_c029_delete_with_a_stale_tag_is_412_and_the_customer_stays(gateway: Gateway) -> None:
    body, tag = gateway.created()
    url = f"{CUSTOMERS}/{body['id']}"
    now = gateway.http.patch(url, json={"firstName": "Bea"}, headers={"If-Match": tag}).headers["ETag"]
    assert gateway.http.delete(url, headers={"If-Match": tag}).status_code == 412
    assert gateway.http.delete(url, headers={"If-Match": now}).status_code == 204
    assert [gateway.http.delete(url, headers={"If-Match": now}).status_code for _ in range(2)] == [404, 404]


def test_c030_tags_differ_between_representations_and_each_is_good_for_if_match(gateway: Gateway) -> None:
    body, plain = gateway.created()
    for url in resources(body["id"], gateway):
        enveloped = gateway.http.get(url, headers={"Accept": ENVELOPED}).headers["ETag"]
        tag = gateway.http.get(url).headers["ETag"]
        assert enveloped != tag
        for good in (enveloped, tag, plain):
            sent = {} if url.count("/") != 5 or url.endswith("preferences") else gateway.http.get(url).json()["content"]
            response = gateway.http.patch(url, json=sent, headers={"If-Match": good})
            assert response.status_code == 200, response.text


def test_c030_a_tag_of_another_customer_is_never_good(gateway: Gateway) -> None:
    body, _ = gateway.created()
    _, other = gateway.created()
    response = gateway.http.patch(f"{CUSTOMERS}/{body['id']}", json={}, headers={"If-Match": other})
    assert response.status_code == 412


def test_a_list_has_no_etag_and_takes_no_condition(gateway: Gateway) -> None:
    gateway.create()
    response = gateway.http.get(CUSTOMERS, headers={"If-None-Match": "*"}, params={"size": 1})
    assert response.status_code == 200
    assert "etag" not in response.headers
