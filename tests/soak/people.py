"""Believable customers and changes of them, drawn by chance, and what each change makes of a customer."""

from __future__ import annotations

import copy
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests import factories
from tests.faults.wire import for_graphql
from tests.questions import CITIES, CODES, NAMES, NUMBERS
from tests.soak.states import LISTS, Fields, Seen, carried, without_id

MERGE, STEPS = "application/merge-patch+json", "application/json-patch+json"


class Patch(NamedTuple):
    """A change as REST takes it, and what it makes of the customer."""

    media: str
    body: Any
    becomes: Fields


@dataclass
class People:
    """Makes the customers of one client; all have its mark in each address, and in their e-mail address."""

    mark: str
    chance: random.Random
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def email(self) -> str:
        """Return an e-mail address that nobody else has."""
        return f"{self.mark}.n{next(self._count)}@example.com"

    def address(self) -> dict[str, Any]:
        """Return an address."""
        draw = self.chance
        return {
            "id": "",
            **factories.address(
                type=draw.choice(("home", "work", "billing", "shipping")),
                street1=f"{draw.randrange(1, 200)} Market St.",
                street2=draw.choice((None, "Apt. 7")),
                city=draw.choice(CITIES[:-1]),
                state=self.mark,
            ),
        }

    def phone(self) -> dict[str, Any]:
        """Return a phone number."""
        draw = self.chance
        number = draw.choice((draw.choice(NUMBERS), f"{draw.randrange(10**6, 10**7)}"))
        kinds = ("mobile", "home", "work", "other")
        return {
            "id": "",
            **factories.phone_number(type=draw.choice(kinds), number=number, countryCode=draw.choice(CODES)),
        }

    def preferences(self) -> dict[str, bool]:
        """Return four preferences."""
        return {name: self.chance.random() < 0.5 for name in ("email", "sms", "push", "mail")}

    def customer(self) -> Fields:
        """Return a new customer."""
        draw = self.chance
        return {
            "firstName": draw.choice(NAMES),
            "middleName": draw.choice((None, draw.choice(NAMES))),
            "lastName": draw.choice(NAMES),
            "email": self.email(),
            "addresses": [self.address() for _ in range(draw.choice((1, 1, 2)))],
            "phoneNumbers": [self.phone() for _ in range(draw.choice((1, 1, 2)))],
            "notificationPreferences": self.preferences(),
        }

    def replaced(self, old: Fields) -> Fields:
        """Return a customer that takes another's place: some of it is as it was."""
        new = self.customer()
        kept = {name: copy.deepcopy(value) for name, value in old.items() if self.chance.random() < 0.4}
        return with_ids({**new, **kept}, old)

    def merged(self, old: Fields) -> Patch:
        """Return a merge patch."""
        draw = self.chance
        choices: dict[str, Callable[[], Any]] = {
            "firstName": lambda: draw.choice(NAMES),
            "middleName": lambda: draw.choice((None, draw.choice(NAMES))),
            "lastName": lambda: draw.choice(NAMES),
            "email": self.email,
            "addresses": lambda: [self.address(), *map(without_id, old["addresses"][:1])],
            "notificationPreferences": lambda: {draw.choice(("sms", "push")): draw.random() < 0.5},
        }
        body = {name: choices[name]() for name in draw.sample(sorted(choices), draw.choice((1, 1, 2)))}
        new = {**old, **copy.deepcopy(body)}
        new["notificationPreferences"] = {**old["notificationPreferences"], **body.get("notificationPreferences", {})}
        return Patch(draw.choice((MERGE, "application/json")), plain(body), with_ids(new, old))

    def stepped(self, old: Fields) -> Patch:
        """Return a JSON Patch."""
        draw, new, phone = self.chance, copy.deepcopy(old), self.phone()
        steps: list[dict[str, Any]] = [{"op": "test", "path": "/lastName", "value": old["lastName"]}]
        kind = draw.randrange(3)
        if kind == 0 and len(old["phoneNumbers"]) > 1:
            steps.append({"op": "remove", "path": "/phoneNumbers/0"})
            del new["phoneNumbers"][0]
        elif kind == 1 and len(old["phoneNumbers"]) < 5:
            steps.append({"op": "add", "path": "/phoneNumbers/-", "value": without_id(phone)})
            new["phoneNumbers"].append(phone)
        else:
            street = f"{draw.randrange(200, 900)} Broadway"
            steps.append({"op": "replace", "path": "/addresses/0/street1", "value": street})
            new["addresses"][0]["street1"] = street
        return Patch(STEPS, steps, with_ids(new, old))


def with_ids(new: Fields, old: Fields) -> Fields:
    """Return what a customer becomes, each part with the id that it must have."""
    return {**new, **{name: carried(new[name], old[name]) for name in LISTS}}


def plain(fields: Fields) -> Fields:
    """Return fields as REST takes them."""
    lists = {name: [without_id(part) for part in fields[name]] for name in LISTS if name in fields}
    return {**fields, **lists}


def graphql(fields: Fields) -> Fields:
    """Return a whole customer as GraphQL takes it."""
    return for_graphql(plain(fields))


def shown(body: dict[str, Any]) -> Seen:
    """Return what either door shows of a customer."""
    server = ("id", "version", "etag", "createdAt", "updatedAt", "__typename")
    fields = {name: value for name, value in body.items() if name not in server}
    for name in LISTS:
        if name in fields:
            fields[name] = [{**part, "type": part["type"].lower()} for part in fields[name]]
    return Seen(
        body["id"],
        fields,
        version=body.get("version"),
        etag=body.get("etag"),
        created=body.get("createdAt"),
        updated=body.get("updatedAt"),
    )
