"""The rules of the four documents that the gateway follows, each with tests that prove it or a decision against it.

They stand in tests/contract/rules, a file for each document. A rule has `tests`, or is turned: `instead` says what is
done in its place, `decision` is the number of the page in docs/decisions that tells why; tests may prove that as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
RULES: Final = Path(__file__).with_name("rules")
DECISIONS: Final = ROOT / "docs" / "decisions"
_MEMBERS: Final = {"rule", "tests", "instead", "decision"}


@dataclass(frozen=True)
class Rule:
    """One rule, in the words of this project."""

    document: str
    section: str
    rule: str
    tests: tuple[str, ...] = ()
    instead: str = ""
    decision: str = ""


def rules(folder: Path = RULES) -> Iterator[Rule]:
    """Give the rules of all documents in their order.

    Raises:
        ValueError: a rule has a member that is none.
    """
    for path in sorted(folder.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for section in document["sections"]:
            yield from (_rule(document["title"], section["name"], one) for one in section["rules"])


def _rule(document: str, section: str, one: Mapping[str, Any]) -> Rule:
    if strange := set(one) - _MEMBERS:
        raise ValueError(f"{one['rule']}: there is no {', '.join(sorted(strange))}")
    return Rule(document, section, **{**one, "tests": tuple(one.get("tests", ()))})


def decision_page(number: str) -> Path | None:
    """Return the page of a decision, None where there is none of that number."""
    return next(iter(sorted(DECISIONS.glob(f"{number}-*.md"))), None) if number else None


def faults(known: Mapping[str, Sequence[str]], folder: Path = RULES) -> list[str]:
    """Return what does not hold: rules with neither test nor decision, tests and decisions that do not exist."""
    found = []
    for one in rules(folder):
        found += [f"{one.rule}: there is no {test}" for test in one.tests if test not in known]
        if not one.tests and not one.instead:
            found.append(f"{one.rule}: neither a test nor a decision")
        if bool(one.instead) != bool(one.decision):
            found.append(
                f"{one.rule}: what is done instead needs a decision, and a decision tells what is done instead"
            )
        if one.decision and decision_page(one.decision) is None:
            found.append(f"{one.rule}: there is no decision {one.decision}")
    return found


def told(files: Mapping[str, Sequence[str]]) -> str:
    """Return the tables of all documents; `files` are those that define a test."""
    parts, document, section = [], "", ""
    for one in rules():
        if one.document != document:
            parts.append(f"\n## {one.document}\n")
        if (one.document, one.section) != (document, section):
            parts.append(f"\n### {_heading(one)}\n\n| Rule | Proven by, or done instead |\n| --- | --- |\n")
        document, section = one.document, one.section
        parts.append(f"| {one.rule} | {_proof(one, files)} |\n")
    return "".join(parts).lstrip("\n")


def _heading(one: Rule) -> str:
    return f"{one.document}: {one.section}"


def _proof(one: Rule, files: Mapping[str, Sequence[str]]) -> str:
    page = decision_page(one.decision)
    turned = [f"*{one.instead}* ([{one.decision}](decisions/{page.name}))"] if page else []
    return "<br>".join([*turned, *(f"`{test}` in {_places(files[test])}" for test in one.tests)])


def _places(files: Sequence[str]) -> str:
    return ", ".join(f"`{file.removeprefix('tests/')}`" for file in files)
