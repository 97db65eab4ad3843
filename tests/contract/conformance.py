"""Which test proves which statement: docs/conformance.md, made from the names of the tests.

`python -m tests.contract.conformance` says whether the page is as the tests have it; with `--write` it writes the page.
The tests are read as text and never imported. The second list, of rules, is that of tests/contract/guidelines.py.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.contract import guidelines
from tests.contract.statements import BESIDE, GROUPS, Group

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "conformance.md"
COMMAND: Final = "python -m tests.contract.conformance --write"
_DEFINED: Final = re.compile(r"^ *(?:async )?def (test_((?:(?:to_)?[a-o]\d{3}_)+)\w+)\(", re.MULTILINE)
_ANY: Final = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)
_NUMBER: Final = re.compile(r"(to_)?([a-o])(\d{3})_")
_LEAD: Final = (
    "Two lists: {all} statements that experienced reviewers check at a gateway, and the {rules} rules of the four "
    "documents that it follows. A test that proves a statement, or a part of it, carries its number in its name: "
    "all of them have such tests. Of the rules {kept} are kept and proven by the tests beside them; "
    "{turned} are turned, because the documents disagree or ask for what a customer has not, and a decision says what "
    "is done instead; tests prove that for {replaced} of them. "
    "Tests have a size that fits `make test`; which command measures more, and what is known to be left open, stands "
    "beside them."
)


class Place(NamedTuple):
    """Where a number stands: the file from the root of the tree, and the name of the test."""

    file: str
    name: str


def letters(tests: Path = ROOT / "tests") -> Iterator[tuple[Place, str, int]]:
    """Give each test with each number in its name and the letter before it; `c055_to_c059` stands for all five."""
    for path in sorted(tests.rglob("test_*.py")):
        for name, numbers in _DEFINED.findall(path.read_text(encoding="utf-8")):
            before = 0
            for to, letter, digits in _NUMBER.findall(numbers):
                number = int(digits)
                for one in range(before + 1 if to else number, number + 1):
                    yield Place(path.relative_to(tests.parent).as_posix(), name), letter, one
                before = number


def by_number(tests: Path = ROOT / "tests") -> Mapping[int, list[Place]]:
    """Return the tests that carry each number, by file."""
    found: dict[int, list[Place]] = defaultdict(list)
    for test, _, number in letters(tests):
        found[number].append(test)
    return found


def files_of_tests(tests: Path = ROOT / "tests") -> Mapping[str, list[str]]:
    """Return the files that define each test, from the root of the tree."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        for name in _ANY.findall(path.read_text(encoding="utf-8")):
            found[name].append(path.relative_to(tests.parent).as_posix())
    return found


def numbered() -> Iterator[tuple[int, Group, str]]:
    """Give the number of each statement, its group and the statement."""
    statements = ((group, statement) for group in GROUPS for statement in group.statements)
    for number, (group, statement) in enumerate(statements, 1):
        yield number, group, statement


def faults(tests: Path = ROOT / "tests") -> list[str]:
    """Return what does not fit: tests with strange numbers, and statements without a test."""
    group_of = {number: group.letter.lower() for number, group, _ in numbered()}
    strange = [test.name for test, letter, number in letters(tests) if letter not in {"c", group_of.get(number)}]
    beyond = [test.name for test, _, number in letters(tests) if number not in group_of]
    proven = set(by_number(tests))
    return [*strange, *beyond, *(f"{number} has no test" for number in group_of if number not in proven)]


def page(tests: Path = ROOT / "tests") -> str:
    """Return the page."""
    found = by_number(tests)
    sections = [_section(group, found) for group in GROUPS]
    made = f"<!-- Made by `{COMMAND}` from the names of the tests and tests/contract/rules; changes here are lost. -->"
    head = [made, "", "# Conformance", "", _lead(), ""]
    return "\n".join([*head, *sections, guidelines.told(files_of_tests(tests))])


def _lead() -> str:
    turned = [one for one in guidelines.rules() if one.instead]
    every = len(list(guidelines.rules()))
    return _LEAD.format(
        all=len(list(numbered())), rules=every, kept=every - len(turned),
        turned=len(turned), replaced=sum(bool(one.tests) for one in turned),
    )  # fmt: skip


def _section(group: Group, found: Mapping[int, list[Place]]) -> str:
    rows = [(str(one), statement, _proof(one, found.get(one, ()))) for one, of, statement in numbered() if of is group]
    return f"## {group.letter}. {group.subject}\n\n{_table(('No.', 'Statement', 'Tests'), rows)}"


def _proof(number: int, tests: Iterable[Place]) -> str:
    files: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        files[test.file].append(f"`{test.name}`")
    shown = [f"`{file}`: {', '.join(names)}" for file, names in files.items()]
    return "<br>".join([*shown, *([BESIDE[number]] if number in BESIDE else [])])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Write the page, or fail with what differs."""
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    elif wrong := [
        *faults(),
        *guidelines.faults(files_of_tests()),
        *([] if PAGE.read_text(encoding="utf-8") == page() else [f"run `{COMMAND}`"]),
    ]:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
