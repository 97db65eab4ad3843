"""The model of a soak catches every lie, and takes no truth for one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from resolvers.parts import with_ids
from tests import factories
from tests.soak.events import Watcher
from tests.soak.lists import Question, Walk, compare
from tests.soak.model import LATE, Attempt, Model
from tests.soak.people import People, plain, shown
from tests.soak.schedule import FAULTS, RESTART, plan
from tests.soak.states import Fields, Seen, State, carried, etag_of
from tests.soak.watch import Look, growth

ID, OTHER = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"


@dataclass
class Story:
    """A model whose time goes on by a second with each look at its clock, and one customer."""

    people: People = field(default_factory=lambda: People("mark", random.Random(1)))
    now: float = 1000.0
    model: Model = field(init=False)

    def __post_init__(self) -> None:
        self.model = Model(clock=self.tick)
        self.attempt = self.create(ID)

    def tick(self) -> float:
        """Return the time, a second later than before."""
        self.now += 1
        return self.now

    def create(self, customer: str, **changes: Any) -> Attempt:
        """Create a customer, and be answered."""
        attempt = self.model.new(0, {**self.people.customer(), **changes}, "r0")
        self.model.answered("r0", attempt, self.shown(attempt.state, customer))
        return attempt

    def rename(self, name: str, attempt: Attempt | None = None) -> Attempt:
        """Begin to change the last name."""
        record = (attempt or self.attempt).record
        assert record.sure is not None
        return self.model.change(record, {**(record.sure.fields or {}), "lastName": name}, f"r-{name}")

    def shown(self, state: State, customer: str = ID) -> Seen:
        """Return what a true gateway shows of a state."""
        fields: Fields = {**(state.fields or {})}
        told = {"id": customer, "version": state.version, "etag": etag_of(customer, state.version), **plain(fields)}
        return shown(told) if state.fields is not None else Seen(customer, erased=True)

    def see(self, seen: Seen, began: float | None = None) -> None:
        """Read now, or have begun earlier."""
        start = self.tick() if began is None else began
        self.model.see("read", seen, start, self.tick())


def test_the_truth_is_no_difference() -> None:
    story = Story()
    old = story.shown(story.attempt.state)
    change = story.rename("New")
    story.see(old)  # not acknowledged yet: both may be seen, in this order
    story.see(story.shown(change.state))
    story.model.done([change])
    story.see(story.shown(change.state))
    assert story.model.wrong == []


def test_a_lost_update_is_a_difference_but_not_for_who_asked_before_it_was_acknowledged() -> None:
    story = Story()
    old, began = story.shown(story.attempt.state), story.tick()
    story.model.done([story.rename("New")])
    story.see(old, began)
    assert story.model.wrong == []
    story.see(old)
    assert "instead of 'New'" in story.model.wrong[0]


def test_what_was_seen_once_is_not_unseen() -> None:
    story = Story()
    old, change = story.shown(story.attempt.state), story.rename("New")
    story.see(story.shown(change.state))
    story.see(old)
    assert len(story.model.wrong) == 1


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("version", {"version": 3}),
        ("etag", {"etag": etag_of(ID, 3)}),
        ("lastName", {"lastName": "Liar"}),
        ("addresses", {"addresses": []}),
    ],
)
def test_a_wrong_version_tag_or_field_is_a_difference(name: str, lie: dict[str, Any]) -> None:
    story = Story()
    true = {"id": ID, "version": 1, **plain(story.attempt.state.fields or {})}
    story.see(shown({**true, **lie}))
    assert name in story.model.wrong[0]


def test_times_and_ids_of_parts_may_not_change_once_they_are_known() -> None:
    story = Story()
    fields = story.attempt.state.fields or {}
    address = {**fields["addresses"][0], "id": "part"}
    for told in ({"updatedAt": "1"}, {"createdAt": "1"}, {"addresses": [address, *fields["addresses"][1:]]}):
        story.see(shown({"id": ID, **told}))
    assert story.model.wrong == []
    for lie in (
        {"updatedAt": "2"},
        {"createdAt": "2"},
        {"addresses": [{**address, "id": "x"}, *fields["addresses"][1:]]},
    ):
        story.see(shown({"id": ID, **lie}))
    assert len(story.model.wrong) == 3


def test_a_doubled_create_is_a_difference() -> None:
    story = Story()
    story.see(story.shown(story.attempt.state, OTHER))
    story.model.answered("again", story.attempt, story.shown(story.attempt.state, OTHER))
    assert ["nobody made" in story.model.wrong[0], "was answered as" in story.model.wrong[1]] == [True, True]


def test_a_resurrected_customer_is_a_difference() -> None:
    story = Story()
    body = story.shown(story.attempt.state)
    story.model.done([story.model.change(story.attempt.record, None, "r1")])
    story.see(Seen(ID, erased=True))
    assert story.model.wrong == []
    story.see(body)
    assert "it is not erased" in story.model.wrong[0]


def test_a_customer_that_is_missing_is_a_difference() -> None:
    story = Story()
    story.see(Seen(ID, erased=True))
    story.model.absent("by e-mail", story.attempt.record, story.tick(), story.tick())
    assert len(story.model.wrong) == 2


def test_what_was_refused_may_never_have_been_seen() -> None:
    story = Story()
    change = story.rename("New")
    story.see(story.shown(change.state))
    story.model.refused([change])
    assert "was seen, and denied" in story.model.wrong[0]


def test_an_unknown_change_is_settled_by_the_read_that_shows_it() -> None:
    story = Story()
    old, change = story.shown(story.attempt.state), story.rename("New")
    story.model.unknown([change])
    story.see(old)  # it may come late
    assert (story.model.doubtful(), story.attempt.record.sure) == ([story.attempt.record], None)
    story.see(story.shown(change.state))
    assert (story.model.doubtful(), story.attempt.record.sure, story.model.wrong) == ([], change.state, [])
    story.see(old)
    assert len(story.model.wrong) == 1


def test_an_unknown_change_that_was_seen_already_was_made_with_all_that_belongs_to_it() -> None:
    story = Story()
    second = story.create(OTHER)
    changes = [story.rename("New"), story.rename("New", second)]
    story.see(story.shown(changes[0].state))
    story.model.unknown(changes, together=True)
    assert (story.model.doubtful(), second.record.sure, story.model.wrong) == ([], changes[1].state, [])


def test_an_unknown_change_that_is_not_there_after_long_was_not_made() -> None:
    story = Story()
    old, change = story.attempt.state, story.rename("New")
    story.model.unknown([change])
    story.now += LATE
    story.see(story.shown(old))
    assert (story.attempt.record.sure, story.model.wrong) == (old, [])
    story.see(story.shown(change.state))
    assert len(story.model.wrong) == 1


def test_an_unknown_creation_that_nobody_finds_was_not_made() -> None:
    story = Story()
    attempt = story.model.new(0, story.people.customer(), "r1")
    story.model.unknown([attempt])
    story.now += LATE
    assert story.model.absent("by e-mail", attempt.record, story.tick(), story.tick())
    assert (story.model.pending, story.model.doubtful(), story.model.wrong) == ({}, [], [])


def test_half_of_a_transaction_is_a_difference() -> None:
    story = Story()
    second = story.create(OTHER)
    changes = [story.rename("New"), story.rename("New", second)]
    story.model.unknown(changes, together=True)
    story.see(story.shown(changes[0].state))
    assert story.model.wrong == []
    story.see(Seen(OTHER, {"lastName": (second.state.fields or {})["lastName"]}))
    assert len(story.model.wrong) == 1


def test_a_change_that_makes_no_difference_makes_no_version() -> None:
    story = Story()
    change = story.rename((story.attempt.state.fields or {})["lastName"])
    story.model.answered("r1", change, story.shown(story.attempt.state))
    assert (story.attempt.record.sure, story.model.wrong) == (story.attempt.state, [])


def test_a_list_that_lacks_doubles_adds_or_disorders_customers_is_a_difference() -> None:
    story = Story()
    both = [story.shown(story.attempt.state), story.shown(story.create(OTHER).state, OTHER)]
    for seen, created in zip(both, ("2026-01-01", "2026-01-02"), strict=True):
        story.see(Seen(seen.id, created=created))
    first, second = (Seen(one.id, one.fields, created=story.model.records[one.id].created) for one in both)
    question = Question(owner=0)
    nobody = Question(("is", "lastName", "eq", "Nobody"), owner=0)
    lists = {
        "": (question, [first, second], 2),
        "missing in the list": (question, [first], None),
        "twice in the list": (question, [first, second, second], None),
        "not in order": (question, [second, first], 2),
        "a total of 3": (question, [first, second], 3),
        "without being found": (nobody, [first], None),
    }
    for told, (asked, pages, total) in lists.items():
        story.model.wrong.clear()
        began = story.tick()
        compare(story.model, asked, Walk(pages, "list", began, story.tick(), total))
        assert len(story.model.wrong) == bool(told), story.model.wrong
        assert told in "".join(story.model.wrong)


def test_a_stale_list_is_a_difference() -> None:
    story = Story()
    before = Seen(ID, story.attempt.state.fields, created="2026-01-01")
    story.model.done([story.rename("New")])
    compare(story.model, Question(owner=0), Walk([before], "list", story.tick(), story.tick(), None))
    assert "instead of 'New'" in story.model.wrong[0]


def _event(kind: str, version: int, *changed: str) -> tuple[str, str, dict[str, Any]]:
    data = {"customerId": ID, "version": version, "changed": list(changed)}
    return f"e{version}", f"customer.{kind}", {"type": f"customer.{kind}", "data": data}


def test_events_that_lack_repeat_invent_or_misname_are_differences() -> None:
    story = Story()
    change = story.rename("New")
    story.model.done([change])
    every = sorted(story.attempt.state.fields or {})
    created, changed = _event("created", 1, *every), _event("updated", 2, "lastName")
    stories = {
        "": [created, changed],
        "after that of 0": [changed],
        "after that of 2": [created, changed, changed],
        "has no version 3": [created, changed, _event("updated", 3, "lastName")],
        "told is ['email']": [created, _event("updated", 2, "email")],
        "customer.deleted of version 2": [created, _event("deleted", 2)],
    }
    for told, events in stories.items():
        story.model.wrong.clear()
        watcher = Watcher([], "", model=story.model)
        for event in events:
            watcher.note(*event)
        assert told in "".join(story.model.wrong)
        assert len(story.model.wrong) == bool(told), story.model.wrong
        assert (watcher.missing() == []) == (watcher.newest[ID] == 2)


def test_parts_keep_the_ids_that_the_model_says() -> None:
    """The rule is written twice, once here and once in the gateway, and both come to the same."""
    chance = random.Random(3)
    for _ in range(500):
        old = [{"id": f"{index}", **_part(chance)} for index in range(chance.randrange(4))]
        new = [_part(chance) for _ in range(chance.randrange(5))]
        theirs = [part["id"] if len(part["id"]) < 3 else "" for part in with_ids(new, old)]
        assert [part["id"] for part in carried(new, old)] == theirs


def _part(chance: random.Random) -> dict[str, Any]:
    return factories.phone_number(number=chance.choice("123"))


def test_what_grows_is_told_from_what_goes_to_and_fro() -> None:
    steady = [Look(1, 5.0 * step, 300 + step % 3, 90, 50 + step % 5, 40) for step in range(200)]
    growing = [look._replace(memory=300 + look.seconds / 10, tasks=40 + look.seconds / 20) for look in steady]
    warming = [look._replace(files=20) if look.seconds < 100 else look for look in steady]
    assert [one.name for one in growth(steady) if not one.flat] == []
    assert [one.name for one in growth(growing) if not one.flat] == ["memory", "tasks"]
    assert [one.name for one in growth(warming) if not one.flat] == []
    assert growth(steady[:2]) == []


def test_a_seed_repeats_the_faults_and_each_comes_before_any_comes_again() -> None:
    many = len(FAULTS) + 1
    assert plan(5, 30) == plan(5, 30) != plan(6, 30)
    assert {*plan(5, many)} == {RESTART, *(fault.name for fault in FAULTS)}
