"""What a fuzzer must know of a gateway before it begins: good credentials, ids, cursors and a tag."""

from __future__ import annotations

from typing import Final

import httpx2

from app.rest.examples import PATH_EXAMPLES
from storage.keys import NewKey
from tests import factories
from tests.fuzz.requests import CUSTOMERS, World

PEOPLE: Final = 30
"""How many customers are made: the requests erase one after the other."""


def known(url: str, made: NewKey) -> World:
    """Make some customers, and return what is known then."""
    with httpx2.Client(base_url=url, headers={"X-API-Key": made.key}) as http:
        people = tuple(_person(http) for _ in range(PEOPLE))
        etag = http.get(f"{CUSTOMERS}/{people[0][PATH_EXAMPLES['customerId']]}").headers["ETag"]
        client = f"{made.record.clientId}:{made.client_secret}"
        return World(made.key, client, _token(http, made), etag, people, _cursors(http))


def _person(http: httpx2.Client) -> dict[str, str]:
    """Make a customer with two addresses and two phone numbers, and return the ids of it and of its first parts."""
    twice = {"addresses": [factories.address()] * 2, "phoneNumbers": [factories.phone_number()] * 2}
    own: str = http.post(CUSTOMERS, json=factories.customer(**twice)).json()["id"]
    ids = {PATH_EXAMPLES["customerId"]: own}
    for path, name in (("addresses", "addressId"), ("phone-numbers", "phoneNumberId")):
        ids[PATH_EXAMPLES[name]] = http.get(f"{CUSTOMERS}/{own}/{path}").json()["content"][0]["id"]
    return ids


def _token(http: httpx2.Client, made: NewKey) -> str:
    client = (made.record.clientId, made.client_secret)
    answer = http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=client)
    token: str = answer.json()["access_token"]
    return token


def _cursors(http: httpx2.Client) -> tuple[str, ...]:
    """Return cursors of several orders; those that nothing follows are missing."""
    orders = ("", "lastName", "-createdAt", "email")
    lists = (http.get(CUSTOMERS, params={"cursor": "", "size": "1", "sort_by": order or "id"}) for order in orders)
    return tuple(answer.headers["Next-Cursor"] for answer in lists)
