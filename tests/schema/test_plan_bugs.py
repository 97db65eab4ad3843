"""The tests of plans find bugs: each of these, put into the code of plans, makes some answer differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import pytest

from schema import build, calls, cost, documents, leaves, plan, planned, rows, runs, variants
from schema import variables as plain
from tests.schema import stage
from tests.schema.stage import answer, given, perfect, stages
from tests.schema.test_plan_matrix import ALL, PATHS, SHAPES, UNPLANNED, VALUES, damaged


class Bug(NamedTuple):
    """A change of code: in a module, one text in the place of another."""

    module: ModuleType
    before: str
    after: str


BUGS: Final = {
    "null where none may be": Bug(plan, "return self._present(kind.of_type, fields)", "kind = kind.of_type"),
    "integers of any size": Bug(leaves, "Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]", "int"),
    "one integer more": Bug(leaves, "le=2**31 - 1", "le=2**31"),
    "numbers for truths": Bug(leaves, "GraphQLBoolean.name: bool", "GraphQLBoolean.name: bool | int"),
    "ids that are no text": Bug(leaves, "GraphQLID.name: str", "GraphQLID.name: str | int"),
    "enumerations as they are stored": Bug(leaves, "member._value_ = member.name", "pass"),
    "aliases forgotten": Bug(plan, "member.key == shown_as and", ""),
    "one of two ways to show a part": Bug(
        plan, "!= member:\n            raise Unplanned", "!= member:\n            pass"
    ),
    "null taken for an object": Bug(plan, "None if checked is None else show(", "show("),
    "resolvers that see what was checked": Bug(plan, "shown[name] = part(row, source)", "shown[name] = part(row, row)"),
    "rows made of anything": Bug(plan, "if all(name == _CONSTANT for _, name in self._names):", "if False:"),
    "pages made of anything": Bug(plan, "if source is None or isinstance(source, Exception):", "if False:"),
    "fields that take arguments": Bug(plan, "if field.args or definition", "if definition"),
    "resolved fields left out": Bug(plan, "return fill if parts else None", "return None"),
    "one plan for all variants": Bug(variants, "[variables.coerced.get(name) for name in self._flags]", "[0]"),
    "one plan for all types": Bug(variants, "(id(kind), *[", "(0, *["),
    "one plan for all fields": Bug(variants, "*[id(item.node) for item in fields]", ""),
    "errors without their place": Bug(
        planned,
        "self.handle_field_error(error, kind, root.fields, root.path)",
        "self.collected_errors.add(GraphQLError(str(error), original_error=error), root.path)",
    ),
    "null that does not rise": Bug(planned, "            data = None\n", "            data = {root.name: None}\n"),
    "resolvers called twice": Bug(
        planned,
        "if shown is UNFIT:\n",
        "if shown is UNFIT:\n                value = await root.resolve(None, info)\n",
    ),
    "lone resolvers called twice": Bug(runs, "call(root, Outcome(value))", "call(root)"),
    "lone resolvers that fail called twice": Bug(runs, "call(root, Outcome(error=error))", "call(root)"),
    "lone values left as they are": Bug(runs, "plan(value) if plan", "value if plan"),
    "lone values that are unfit left out": Bug(runs, "shown = UNFIT\n", "shown = None\n"),
    "the null of variables left out": Bug(calls, "if value is not Undefined:", "if value:"),
    "defaults of arguments forgotten": Bug(calls, "value = absent", "value = None"),
    "defaults of variables left out": Bug(plain, "if default is not Undefined:", "if False:"),
    "variables of any size": Bug(plain, "type(value) is int and value in _INT32", "type(value) is int"),
    "truths for numbers": Bug(plain, "type(value) is int and", "isinstance(value, int) and"),
    "variables that may not be null": Bug(plain, "(value is None and nullable)", "value is None"),
    "variables that may not be absent": Bug(
        plain, "                if not optional:\n                    return None\n", ""
    ),
    "what is unfit left out": Bug(planned, "            self._counts.fell += 1\n", "            return None\n"),
    "lists not counted": Bug(rows, "sum(map(len, map(listed, rows)))", "len(rows)"),
    "objects not counted": Bug(rows, "fixed = len(single)", "fixed = 0"),
    "objects in objects not counted": Bug(rows, "total += kind.below(list(map(found, rows)))", "total += 0"),
    "text of other types": Bug(rows, "return str.__str__(value)", "return repr(value)"),
    "members in another order": Bug(rows, "for member in members\n    ]", "for member in sorted(members)\n    ]"),
    "members that may be absent": Bug(rows, "NoneType in get_args(member.kind)", "True"),
}
_CONDITIONS: Final = tuple(
    f"query Q($yes: Boolean!, $no: Boolean = false) {{ {selected} }}"
    for selected in (
        "perhaps { id firstName @include(if: $yes) email @skip(if: $no) }",
        "all { id addresses { id @include(if: $yes) city @skip(if: $no) } }",
    )
)


_ARGUMENTS: Final = (
    "{ perhaps(upTo: 4, id: 5) { id } }",
    "query($n: Int! = 7) { perhaps(upTo: $n) { id } }",
    "query($n: Int!) { perhaps(upTo: $n) { id } }",
    "query($n: Int) { perhaps(upTo: $n) { id } }",
    "query($n: Boolean) { perhaps(really: $n) { id } }",
    "query($n: String) { perhaps(wordForIt: $n) { id } }",
    "query($n: ID!) { perhaps(id: $n) { id } }",
)
"""Each about `n`, which may be absent or null, and may be of another type."""


@pytest.mark.untraced
@pytest.mark.parametrize("bug", BUGS.values(), ids=list(BUGS))
async def test_each_bug_makes_an_answer_differ(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(bug, monkeypatch)
    found = await _found()
    assert found, "all answers were the same"
    print(found)


async def test_without_a_bug_nothing_is_found() -> None:
    assert not await _found()


async def _found() -> str:
    """Return where an answer is another than graphql-core's, or a sound one not by plan; nothing where that is so."""
    for shape, text in ALL.items():
        schema = stage.build("on")
        await answer(schema, text, {}, given(perfect(), perfect(2)))
        if (schema.counts.fell, schema.counts.unplanned > 0) != (0, shape in UNPLANNED):
            return f"{shape}: {schema.counts}"
    schema = stage.build("on")
    for text, variables, gives in _cases():
        expected = await _expected(text, variables, gives)
        try:
            if await answer(schema, text, variables, gives) != expected:
                return text
        except TypeError as error:
            return f"{text}: {error}"
    return ""


def _put(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the schema run with a module in which the bug is."""
    source = Path(str(bug.module.__file__)).read_text(encoding="utf-8")
    assert source.count(bug.before) == 1, "the code is not what it was: mend the table of bugs"
    made = ModuleType(bug.module.__name__)
    exec(compile(source.replace(bug.before, bug.after), f"<{bug.module.__name__} with a bug>", "exec"), made.__dict__)
    for user in (build, calls, cost, documents, leaves, plan, planned, runs, stage, plain, variants):
        for name in made.__dict__.keys() & user.__dict__.keys():
            if getattr(user.__dict__[name], "__module__", None) == bug.module.__name__ and user is not bug.module:
                monkeypatch.setattr(user, name, made.__dict__[name])


def _cases() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Give the questions: all shapes about sound documents, then some about each fault in each place."""
    for text in ALL.values():
        for value in (perfect(), perfect(2), None, 5, ValueError("v")):
            yield text, {}, given(value, perfect(3))
            yield text, {}, {**given(perfect()), "all": value, "some": value}
    for yes in (True, False):
        for no in (True, False, None):
            for text in _CONDITIONS:
                yield text, {"yes": yes, "no": no}, given(perfect(), perfect(2))
    for text in _ARGUMENTS:
        for sent in ({}, *({"n": value} for value in (None, 5, True, "", "x", 2**31, 1.0))):
            yield text, sent, given(perfect())
    for path in PATHS:
        for value in VALUES:
            yield SHAPES["one"], {}, given(damaged(path, value))


_SEEN: Final[dict[tuple[str, str, str], bytes]] = {}


async def _expected(text: str, variables: dict[str, Any], gives: dict[str, Any]) -> bytes:
    """Return the answer of graphql-core alone, found once for all bugs."""
    case = (text, repr(variables), repr(gives))
    if case not in _SEEN:
        _SEEN[case] = await answer(stages()["off"], text, variables, gives)
    return _SEEN[case]
