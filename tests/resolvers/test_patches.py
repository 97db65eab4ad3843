"""Merge patch and JSON Patch held against the RFCs, and against tiny readings of them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.patches import Change, JsonPatch, MergePatch, Replace
from resolvers.problem import JsonValue, Problem

scalars: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab~/", max_size=2)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab~/", max_size=2), inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(st.text("ab~/", max_size=2), documents, max_size=4)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396 section 2, written down line by line."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def slug_of(change: Change, document: Any) -> str:
    with pytest.raises(Problem) as raised:
        change.apply(document)
    return raised.value.type.slug


@given(objects, objects)
def test_a_merge_patch_does_what_rfc_7396_says_and_alters_nothing_else(target: Any, patch: Any) -> None:
    before, sent = copy.deepcopy(target), copy.deepcopy(patch)
    assert same(MergePatch(lambda: patch).apply(target), merged(target, patch))
    assert same(target, before)
    assert same(patch, sent)


@given(objects, objects)
def test_a_merge_patch_applied_again_changes_nothing_more(target: Any, patch: Any) -> None:
    once = MergePatch(lambda: patch).apply(target)
    assert same(MergePatch(lambda: patch).apply(once), once)


APPENDIX: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), APPENDIX, ids=str)
def test_the_examples_of_rfc_7396_come_out(target: Any, patch: Any, result: Any) -> None:
    assert MergePatch(lambda: patch).apply(target) == result


@pytest.mark.parametrize("patch", [["c"], None, "bar", 7, True])
def test_a_merge_patch_that_would_replace_an_object_as_a_whole_is_refused(patch: JsonValue) -> None:
    assert slug_of(MergePatch(lambda: patch), {"a": "b"}) == "wrong-top-level"


def escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


@given(objects, st.text("ab~/", max_size=2), documents)
def test_json_patch_adds_tests_and_removes_any_member_by_its_escaped_name(
    target: dict[str, Any], name: str, value: Any
) -> None:
    path = "/" + escaped(name)
    before = copy.deepcopy(target)
    steps: list[Any] = [{"op": "add", "path": path, "value": value}, {"op": "test", "path": path, "value": value}]
    assert same(JsonPatch(lambda: steps).apply(target), {**target, name: value})
    rest = {key: item for key, item in target.items() if key != name}
    steps.append({"op": "remove", "path": path})
    assert same(JsonPatch(lambda: steps).apply(target), rest)
    assert same(target, before)


@given(objects, objects)
def test_a_json_patch_that_replaces_member_by_member_gives_the_other_document(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    steps: list[Any] = [{"op": "remove", "path": "/" + escaped(name)} for name in one]
    steps += [{"op": "add", "path": "/" + escaped(name), "value": value} for name, value in other.items()]
    assert same(JsonPatch(lambda: steps).apply(one), other)


@given(documents, documents)
def test_test_holds_exactly_for_equal_json(one: Any, other: Any) -> None:
    patch = JsonPatch(lambda: [{"op": "test", "path": "/x", "value": other}])
    if same(one, other):
        patch.apply({"x": one})
    else:
        assert slug_of(patch, {"x": one}) == "patch-conflict"


@given(st.lists(documents, min_size=1, max_size=4), st.data())
def test_move_takes_an_item_out_and_puts_it_in(items: list[Any], data: st.DataObject) -> None:
    source = data.draw(st.integers(0, len(items) - 1))
    target = data.draw(st.integers(0, len(items) - 1))
    patch = JsonPatch(lambda: [{"op": "move", "from": f"/x/{source}", "path": f"/x/{target}"}])
    expected = [item for index, item in enumerate(items) if index != source]
    expected.insert(target, items[source])
    assert same(patch.apply({"x": items}), {"x": expected})


RFC_6902: list[tuple[Any, list[dict[str, Any]], Any]] = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ({"baz": "qux"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo"}),
    ({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
     [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
     {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
    ({"foo": ["all", "grass", "cows", "eat"]}, [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
     {"foo": ["all", "cows", "eat", "grass"]}),
    ({"foo": "bar"}, [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
     {"foo": "bar", "child": {"grandchild": {}}}),
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}], {"foo": ["bar", ["abc", "def"]]}),
    ({"a": None}, [{"op": "test", "path": "/a", "value": None}], {"a": None}),
    ({"": 1}, [{"op": "test", "path": "/", "value": 1}], {"": 1}),
    ({"a": 1}, [{"op": "test", "path": "", "value": {"a": 1}}], {"a": 1}),
    ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}, {"op": "remove", "path": "/c/b"}],
     {"a": {"b": 1}, "c": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("target", "steps", "result"), RFC_6902, ids=lambda value: str(value)[:40])
def test_the_examples_of_rfc_6902_come_out(target: Any, steps: Any, result: Any) -> None:
    assert same(JsonPatch(lambda: steps).apply(target), result)


@pytest.mark.parametrize(
    ("target", "steps"),
    [
        ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}]),
        ({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}]),
        ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}]),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": True}]),
        ({"a": False}, [{"op": "test", "path": "/a", "value": 0}]),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}]),
        ({"a": [1, 2]}, [{"op": "replace", "path": "/a/01", "value": 3}]),
        ({"a": [1, 2]}, [{"op": "add", "path": f"/a/{'9' * 5000}", "value": 3}]),
        ({"a": [1, 2]}, [{"op": "move", "from": f"/a/{'9' * 5000}", "path": "/a/0"}]),
    ],
)
def test_what_rfc_6902_calls_an_error_is_a_conflict(target: Any, steps: Any) -> None:
    assert slug_of(JsonPatch(lambda: steps), target) == "patch-conflict"


def test_a_replacement_points_at_what_was_sent() -> None:
    change = Replace(lambda: {"addresses": [{"city": "Ulm"}]})
    change.apply({})
    assert change.locate(("addresses", 0, "city")) == ("addresses", 0, "city")
    assert change.locate(("addresses", 0, "street1")) == ("addresses", 0)
    assert change.locate(("addresses", 1, "city")) == ("addresses",)
    assert change.locate(("firstName",)) == ()


@pytest.mark.parametrize("change", [Replace, MergePatch, JsonPatch])
def test_the_body_is_read_only_when_its_turn_comes(change: type[Replace | MergePatch | JsonPatch]) -> None:
    read: list[int] = []

    def body() -> JsonValue:
        read.append(1)
        return []

    waiting = change(body)
    assert read == []
    waiting.apply([])
    assert read == [1]
