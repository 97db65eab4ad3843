"""The page of licences is that of the locks, and what is run asks for no more than a notice, or there is a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contract import licences
from tests.contract.licences import DEVELOPMENT, EXPLAINED, PRODUCTION, Package, bundled, locked, python, unexplained


def test_the_page_has_every_package_of_the_locks_in_its_version_with_its_licence() -> None:
    page = licences.PAGE.read_text(encoding="utf-8")
    assert page == licences.page(), f"run `{licences.COMMAND}`"
    for lock in (*PRODUCTION, DEVELOPMENT):
        assert not [one for one in locked(lock) if f"\n| {one[0]} | {one[1]} | " not in page]


def test_no_licence_of_what_is_run_or_built_in_is_unknown_or_copyleft_without_a_reason() -> None:
    run = [*python(PRODUCTION), *bundled()]
    assert len(run) > 150
    assert unexplained(run) == []
    assert set(EXPLAINED) <= {one.name for one in run}
    assert not [one for one in python([DEVELOPMENT]) if one.licence == "unknown"]


@pytest.mark.parametrize(
    ("licence", "asks"),
    [
        ("GPL-3.0-or-later", True), ("LGPL-2.1", True), ("MPL-2.0 AND MIT", True), ("SSPL-1.0", True),
        ("unknown", True), ("MIT", False), ("GPL-2.0 OR MIT", False), ("(MIT OR GPL-3.0)", False), ("ISC", False),
    ],
)  # fmt: skip
def test_what_asks_for_more_than_a_notice_is_named(licence: str, asks: bool) -> None:
    assert unexplained([Package("some", "1", licence)]) == ([f"some: {licence}"] if asks else [])


def test_what_only_builds_the_pages_is_not_in_them(tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    kept = {"version": "1", "license": "ISC"}
    packages = {
        "": {},
        "node_modules/a": kept,
        "node_modules/a/node_modules/@b/c": kept,
        "node_modules/d": {"dev": True},
    }
    lock.write_text(json.dumps({"packages": packages}), encoding="utf-8")
    assert bundled(lock) == [Package("@b/c", "1", "ISC"), Package("a", "1", "ISC")]
