"""`gateway import`, `gateway export` and `gateway template`: what goes out comes in again, and each line is told."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from app.cli import exporting, importing
from app.transfer import importing as batches
from app.transfer import state
from app.transfer.columns import column_names
from resolvers import exports
from storage.bulk import Bulk
from storage.errors import Unavailable
from tests import factories
from tests.commands import Ended
from tests.inprocess import Run, run_here

NONE = {"created": 0, "updated": 0, "unchanged": 0, "skipped": 0, "erased": 0, "refused": 0}


@pytest.fixture
def elsewhere(mongod_url: str, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `gateway …` on another empty database."""

    def command(*words: str) -> Ended:
        with monkeypatch.context() as patch:
            patch.setenv("GATEWAY_MONGODB_DATABASE", f"{database}_2")
            return run_here(*words)

    yield command
    with MongoClient[dict[str, Any]](mongod_url) as client:
        client.drop_database(f"{database}_2")


@pytest.fixture
def collection(mongod_url: str, database: str) -> Iterator[Any]:
    """The stored documents, beside the gateway."""
    with MongoClient[dict[str, Any]](mongod_url) as client:
        yield client[database]["customers"]


def write(name: str, *bodies: Any) -> list[Any]:
    """Write a file of NDJSON; text stands as it is."""
    lines = [body if isinstance(body, str) else json.dumps(body, ensure_ascii=False) for body in bodies]
    Path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return list(bodies)


def read(name: str) -> list[dict[str, Any]]:
    """Return the objects of a file of NDJSON."""
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def report(name: str) -> list[dict[str, str]]:
    """Return the rows of a report."""
    with Path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shown(customer: dict[str, Any]) -> dict[str, Any]:
    """Return what a client says of a customer: without what the server makes."""
    return {name: value for name, value in customer.items() if name not in {"id", "createdAt", "updatedAt"}}


def counts(ended: Ended) -> dict[str, int]:
    """Return the counts that a command printed as JSON, those of nothing left out."""
    said = json.loads(ended.out)
    return {name: said[name] for name in NONE if said[name]}


def many(count: int) -> list[dict[str, Any]]:
    """Return customers with one to three addresses and phone numbers, and texts of every kind."""
    names = ("Zoé", "Łukasz", "O'Brien, Jr.", 'The "Rock"', "王", "Ελένη", "=1+1", "-x")
    return [
        factories.customer(
            firstName=names[number % len(names)],
            middleName="Q;" if number % 3 else None,
            addresses=[factories.address(city=f"Città {n}", street2=None) for n in range(1 + number % 3)],
            phoneNumbers=[factories.phone_number(number=f"{n} 22-33") for n in range(1 + number % 2)],
        )
        for number in range(count)
    ]


def found_by(document: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that a customer is found by: what a change has changed is nothing that a backup tells."""
    return {name: value for name, value in document["keys"].items() if name != "changed"}


class TestRoundTrips:
    @pytest.mark.parametrize("ending", ["ndjson", "csv"])
    def test_what_was_exported_is_imported_the_same(self, run: Run, elsewhere: Run, ending: str) -> None:
        sent = write("sent.ndjson", *many(30))
        assert counts(run("import", "sent.ndjson", "--json")) == {"created": 30}
        assert run("export", f"out.{ending}").out == f"wrote 30 customers into out.{ending}\n"
        assert counts(elsewhere("import", f"out.{ending}", "--json")) == {"created": 30}
        assert elsewhere("export", "again.ndjson").code == 0
        back = read("again.ndjson")
        assert sorted(map(shown, back), key=lambda one: one["email"]) == sorted(sent, key=lambda one: one["email"])
        assert not {one["id"] for one in back} & {one["id"] for one in read("again.ndjson")[30:]}

    def test_a_backup_gives_the_same_documents_to_the_byte(
        self, run: Run, elsewhere: Run, collection: Any, mongod_url: str, database: str
    ) -> None:
        write("sent.ndjson", *many(20))
        run("import", "sent.ndjson")
        write("changed.ndjson", *[{**one, "lastName": "Changed"} for one in read("sent.ndjson")[:5]])
        assert counts(run("import", "changed.ndjson", "--on-conflict", "update", "--json")) == {"updated": 5}
        gone = collection.find_one({})["id"]
        bury(collection, gone)
        said = json.loads(run("export", "backup.ndjson", "--backup", "--json").out)
        assert said == {"file": "backup.ndjson", "customers": 19, "tombstones": 1}
        assert counts(elsewhere("import", "backup.ndjson", "--restore", "--json")) == {"created": 19, "erased": 1}
        elsewhere("export", "again.ndjson", "--backup")
        assert Path("again.ndjson").read_bytes() == Path("backup.ndjson").read_bytes()
        with MongoClient[dict[str, Any]](mongod_url) as client:
            keys = [
                {one["id"]: (found_by(one), one["version"]) for one in client[name]["customers"].find()}
                for name in (database, f"{database}_2")
            ]
        assert keys[0] == keys[1]
        assert counts(elsewhere("import", "backup.ndjson", "--restore", "--json")) == {"unchanged": 20}

    def test_an_export_is_for_its_owner_alone_and_replaces_the_old_file_when_it_is_whole(self, run: Run) -> None:
        Path("out.ndjson").write_text("old")
        write("sent.ndjson", *many(3))
        run("import", "sent.ndjson")
        run("export", "out.ndjson")
        assert len(read("out.ndjson")) == 3
        assert Path("out.ndjson").stat().st_mode & 0o777 == 0o600
        assert sorted(path.name for path in Path().iterdir()) == ["out.ndjson", "sent.ndjson"]

    def test_a_filter_chooses_and_standard_output_is_just_the_customers(self, run: Run) -> None:
        write("sent.ndjson", *[factories.customer(lastName=name) for name in ("Abel", "Baker", "Abel")])
        run("import", "sent.ndjson")
        ended = run("export", "--filter", "lastName eq 'abel'")
        assert [json.loads(line)["lastName"] for line in ended.out.splitlines()] == ["Abel", "Abel"]
        header, *rows = run("export", "-", "--format", "csv").out.splitlines()
        assert header.split(",") == column_names(1, 1)
        assert len(rows) == 3

    def test_an_empty_store_is_an_empty_file(self, run: Run) -> None:
        assert run("export", "out.csv").out == "wrote nothing into out.csv\n"
        assert Path("out.csv").read_text().splitlines() == [",".join(column_names())]
        assert run("import", "out.csv").out == "nothing\n"

    @pytest.mark.parametrize("ending", ["ndjson", "csv"])
    def test_the_template_can_be_imported(self, run: Run, ending: str) -> None:
        Path(f"in.{ending}").write_text(run("template", "--format", ending).out, encoding="utf-8")
        assert counts(run("import", f"in.{ending}", "--json")) == {"created": 1}


def bury(collection: Any, customer_id: str) -> None:
    """Erase a customer as the gateway does, and leave its tombstone."""
    found = collection.find_one_and_delete({"id": customer_id})
    stone = {"id": customer_id, "version": found["version"] + 1, "deletedAt": found["updatedAt"]}
    collection.database["tombstones"].insert_one(stone)


class TestRefusedLines:
    def test_each_line_is_told_with_field_and_reason_and_the_others_are_stored(self, run: Run, collection: Any) -> None:
        good = many(2)
        long = json.dumps({**factories.customer(), "firstName": "x" * (1024 * 1024)})
        write(
            "in.ndjson", good[0], factories.customer(email="no", addresses=[factories.address(postalCode="?")]),
            "", "{", '{"a":1,"a":2}', "[1]", long, {**good[0], "email": good[0]["email"].upper()}, good[1],
        )  # fmt: skip
        ended = run("import", "in.ndjson", "--json")
        assert ended.code == 3
        assert counts(ended) == {"created": 2, "refused": 6}
        rows = [(int(row["line"]), row["field"], row["reason"]) for row in report("in.ndjson.refused.csv")]
        assert rows == [
            (2, "email", "must be an e-mail address"),
            (2, "addresses[0].postalCode", r"must match the pattern ^[0-9A-Za-z\- ]+$"),
            (4, "", "Expecting property name enclosed in double quotes at line 1, column 2."),
            (5, "", "The key 'a' stands twice in one object."),
            (6, "", "The body must be a JSON object."),
            (7, "", "The line may have at most 1048576 bytes."),
            (8, "email", "Another customer has this email address."),
        ]
        assert collection.count_documents({}) == 2

    def test_a_table_names_its_own_columns(self, run: Run) -> None:
        names = [name for name in column_names(2, 1) if name not in {"id", "createdAt", "updatedAt", "middleName"}]
        row = dict.fromkeys(names, "") | {
            "firstName": "Ann", "lastName": "Lee", "email": "ann.lee@example.com", "addresses[0].type": "home",
            "addresses[0].postalCode": "1", "addresses[1].type": "castle", "addresses[1].postalCode": "1",
            "phoneNumbers[0].type": "mobile", "phoneNumbers[0].countryCode": "+1", "phoneNumbers[0].number": "1",
            "notificationPreferences.email": "TRUE", "notificationPreferences.sms": "yes",
            "notificationPreferences.push": "false",
        }  # fmt: skip
        with Path("in.csv").open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.writer(file, delimiter=";")
            table.writerows([names, row.values(), [*row.values(), "more"], ['"']])
            file.write('"open\n')
        assert counts(run("import", "in.csv", "--json")) == {"refused": 4}
        told = [(row["line"], row["field"], row["reason"]) for row in report("in.csv.refused.csv")]
        assert told[:3] == [
            ("2", "addresses[1].type", "must be one of billing, shipping, home, work"),
            ("2", "notificationPreferences.sms", "must be true or false"),
            ("2", "notificationPreferences.mail", "is required"),
        ]
        assert [line for line, _, _ in told[3:]] == ["3", "4", "5"]
        assert told[-1][2] == "The line is not CSV: a quoted value does not end on its line."

    @pytest.mark.parametrize(
        ("header", "told"),
        [
            ("firstName,lastNam\n", "there is no column 'lastNam'; did you mean lastName?"),
            ("email,email\n", "the column 'email' stands twice"),
            ("addresses[50].city\n", "there is no column 'addresses[50].city'"),
            ("", "the first line must name the columns"),
        ],
    )
    def test_wrong_columns_are_told_before_anything_is_read(self, run: Run, header: str, told: str) -> None:
        Path("in.csv").write_text(header)
        ended = run("import", "in.csv")
        assert ended.code == 2
        assert told in ended.err
        assert "gateway template" in ended.err

    def test_unknown_properties_are_ignored_or_refused_where_asked(self, run: Run) -> None:
        one, other = (factories.customer(hobby="chess") for _ in range(2))
        write("in.ndjson", one)
        assert counts(run("import", "in.ndjson", "--json")) == {"created": 1}
        write("in.ndjson", other)
        assert counts(run("import", "in.ndjson", "--strict", "--json")) == {"refused": 1}
        assert report("in.ndjson.refused.csv")[0]["field"] == "hobby"

    def test_a_report_goes_where_it_is_asked_for_and_an_old_one_is_gone(self, run: Run) -> None:
        write("in.ndjson", "{}")
        assert run("import", "in.ndjson", "--report", "told.csv").code == 3
        assert Path("told.csv").exists()
        write("in.ndjson", factories.customer())
        assert run("import", "in.ndjson", "--report", "told.csv").code == 0
        assert not Path("told.csv").exists()

    def test_standard_input_is_taken(self, run: Run, collection: Any) -> None:
        ended = run("import", "-", given=f"{json.dumps(factories.customer())}\n{{}}\n".encode())
        assert (ended.code, ended.out) == (3, "1 created, 1 refused\n")
        assert "line 2: firstName is required" in ended.err
        assert collection.count_documents({}) == 1


class TestConflicts:
    def test_skip_leaves_and_update_changes_what_is_stored(self, run: Run, collection: Any) -> None:
        (one,) = write("in.ndjson", factories.customer())
        run("import", "in.ndjson")
        before = collection.find_one({})
        changed = {**one, "email": one["email"].upper(), "lastName": "New"}
        write("in.ndjson", changed)
        assert counts(run("import", "in.ndjson", "--on-conflict", "skip", "--json")) == {"skipped": 1}
        assert collection.find_one({}) == before
        assert counts(run("import", "in.ndjson", "--on-conflict", "update", "--json", "--dry-run")) == {"updated": 1}
        assert collection.find_one({}) == before
        for outcome in ("updated", "unchanged"):
            assert counts(run("import", "in.ndjson", "--on-conflict", "update", "--json")) == {outcome: 1}
            after = collection.find_one({})
            assert (after["id"], after["version"], after["lastName"]) == (before["id"], 2, "New")
            assert after["addresses"] == before["addresses"]
            assert (after["createdAt"], after["keys"]["email"]) == (before["createdAt"], one["email"])

    def test_of_lines_with_one_address_the_last_one_stays(self, run: Run, collection: Any) -> None:
        one = factories.customer()
        write("in.ndjson", *[{**one, "lastName": name} for name in ("A", "B", "C")])
        ended = run("import", "in.ndjson", "--on-conflict", "update", "--json")
        assert counts(ended) == {"created": 1, "updated": 2}
        assert (collection.find_one({})["lastName"], collection.find_one({})["version"]) == ("C", 3)

    def test_a_restored_customer_takes_no_version_twice(self, run: Run, collection: Any) -> None:
        (one,) = write("in.ndjson", factories.customer())
        run("import", "in.ndjson")
        run("export", "backup.ndjson", "--backup")
        write("in.ndjson", {**one, "lastName": "Later"})
        run("import", "in.ndjson", "--on-conflict", "update")
        later = collection.find_one({})
        refused = run("import", "backup.ndjson", "--restore", "--json")
        assert (refused.code, counts(refused)) == (3, {"refused": 1})
        assert "at version 2" in report("backup.ndjson.refused.csv")[0]["reason"]
        skipped = run("import", "backup.ndjson", "--restore", "--on-conflict", "skip", "--json")
        assert counts(skipped) == {"skipped": 1}
        for outcome in ("updated", "unchanged"):
            ended = run("import", "backup.ndjson", "--restore", "--on-conflict", "update", "--json")
            assert counts(ended) == {outcome: 1}
            found = collection.find_one({})
            assert (found["version"], found["lastName"]) == (3, one["lastName"])
            assert found["updatedAt"] >= later["updatedAt"]

    def test_who_was_erased_does_not_come_back_and_a_tombstone_erases(self, run: Run, collection: Any) -> None:
        write("in.ndjson", *many(2))
        run("import", "in.ndjson")
        run("export", "before.ndjson", "--backup")
        first, second = read("before.ndjson")
        bury(collection, first["id"])
        stone = {"id": second["id"], "version": 2, "deletedAt": second["updatedAt"]}
        write("stones.ndjson", stone, stone, {**stone, "id": "no", "version": 0})
        refused = run("import", "before.ndjson", "--restore", "--on-conflict", "update", "--json")
        assert counts(refused) == {"unchanged": 1, "refused": 1}
        assert counts(run("import", "stones.ndjson", "--restore", "--json")) == {
            "erased": 1,
            "unchanged": 1,
            "refused": 1,
        }
        assert [row["field"] for row in report("stones.ndjson.refused.csv")] == ["id", "version"]
        assert collection.count_documents({}) == 0
        assert collection.database["tombstones"].count_documents({}) == 2

    def test_a_backup_with_wrong_ids_is_refused_field_by_field(self, run: Run) -> None:
        write("in.ndjson", *many(1))
        run("import", "in.ndjson")
        run("export", "backup.ndjson", "--backup")
        (one,) = read("backup.ndjson")
        part = one["addresses"][0]
        write(
            "in.ndjson",
            {**one, "id": "x", "version": True, "createdAt": "2026-02-30T00:00:00.000Z"},
            {**one, "addresses": [{**part, "id": None}]},
            {**one, "addresses": [part, part]},
            {**one, "addresses": ["x"]},
        )
        assert run("import", "in.ndjson", "--restore").code == 3
        assert [(row["line"], row["field"]) for row in report("in.ndjson.refused.csv")] == [
            ("1", "id"), ("1", "version"), ("1", "createdAt"), ("2", "addresses[0].id"), ("3", "addresses"),
            ("4", "addresses[0]"),
        ]  # fmt: skip


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a command that ends, as by kill -9, before it can keep its state for the `after`-th time."""

    def end(run: Run, *words: str, after: int) -> None:
        keep = state.write
        kept: list[None] = []

        def write_or_end(*told: Any) -> None:
            if len(kept) == after:
                raise Killed
            kept.append(keep(*told))

        with monkeypatch.context() as patch:
            patch.setattr(state, "write", write_or_end)
            with pytest.raises(Killed):
                run(*words)

    return end


class TestGoingOn:
    def test_an_import_that_was_killed_goes_on_and_stores_nobody_twice(
        self, run: Run, kill: Callable[..., None], collection: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bodies = many(50)
        write("in.ndjson", *bodies[:7], "[1]", *bodies[7:25], "[2]", *bodies[25:])
        monkeypatch.setattr(batches, "_BATCH_LINES", 10)
        kill(run, "import", "in.ndjson", after=3)
        assert collection.count_documents({}) == 28, "the third batch is stored, and nothing knows of it"
        assert json.loads(Path("in.ndjson.import-state").read_text())["line"] == 20
        lost, kept = (collection.find_one({"email": bodies[number]["email"]}) for number in (24, 0))
        bury(collection, lost["id"])
        bury(collection, kept["id"])
        ended = run("import", "in.ndjson", "--json")
        assert counts(ended) == {"created": 49, "skipped": 1, "refused": 2}
        assert [row["line"] for row in report("in.ndjson.refused.csv")] == ["8", "27"]
        assert sorted(one["email"] for one in collection.find()) == sorted(
            one["email"] for one in bodies if one["email"] not in {lost["email"], kept["email"]}
        )
        assert not Path("in.ndjson.import-state").exists()

    def test_a_table_that_was_killed_goes_on_behind_its_header(
        self, run: Run, elsewhere: Run, kill: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("in.ndjson", *many(25))
        run("import", "in.ndjson")
        run("export", "out.csv")
        monkeypatch.setattr(batches, "_BATCH_LINES", 10)
        kill(elsewhere, "import", "out.csv", after=2)
        assert counts(elsewhere("import", "out.csv", "--json")) == {"created": 25}

    def test_a_store_that_is_away_for_a_moment_is_asked_again(
        self, run: Run, collection: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("in.ndjson", *many(3))
        create, asked = Bulk.create_each, []

        async def away_at_first(bulk: Bulk, prepared: Any) -> Any:
            asked.append(len(prepared))
            errors = await create(bulk, prepared)
            return errors if len(asked) == 3 else [Unavailable("unknown")] * len(errors)

        monkeypatch.setattr(Bulk, "create_each", away_at_first)
        assert counts(run("import", "in.ndjson", "--json")) == {"created": 3}
        assert asked == [3, 3, 3]
        assert collection.count_documents({}) == 3

    def test_a_store_that_stays_away_ends_it_with_1_and_the_same_command_goes_on(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("in.ndjson", *many(3))

        async def away(_: Bulk, prepared: Any) -> Any:
            return [Unavailable("none")] * len(prepared)

        with monkeypatch.context() as patch:
            patch.setattr(Bulk, "create_each", away)
            patch.setattr(importing, "_PATIENCE", 0.0)
            ended = run("import", "in.ndjson")
        assert (ended.code, ended.out) == (1, "")
        assert "the same command goes on from there" in ended.err
        assert "the store does not answer" in ended.err
        assert counts(run("import", "in.ndjson", "--json")) == {"created": 3}

    @pytest.mark.parametrize("on_conflict", ["fail", "update"])
    def test_one_that_was_killed_at_once_does_not_refuse_its_own_lines(
        self, run: Run, kill: Callable[..., None], collection: Any, on_conflict: str
    ) -> None:
        write("in.ndjson", *many(5))
        words = ("import", "in.ndjson", "--on-conflict", on_conflict, "--json")
        kill(run, *words, after=1)
        before = list(collection.find())
        assert len(before) == 5
        assert counts(run(*words)) == {"created": 5}
        assert list(collection.find()) == before

    @pytest.mark.parametrize("ending", ["ndjson", "csv"])
    def test_an_export_that_was_killed_goes_on_and_writes_everybody_once(
        self, run: Run, kill: Callable[..., None], monkeypatch: pytest.MonkeyPatch, ending: str
    ) -> None:
        write("in.ndjson", *many(50))
        run("import", "in.ndjson")
        run("export", f"whole.{ending}")
        monkeypatch.setattr(exports, "PAGE", 7)
        monkeypatch.setattr(exporting, "_PAGES_BETWEEN", 2)
        kill(run, "export", f"out.{ending}", after=2)
        assert not Path(f"out.{ending}").exists()
        assert (
            Path(f"out.{ending}.partial").stat().st_size
            > json.loads(Path(f"out.{ending}.export-state").read_text())["offset"]
        )
        with Path(f"out.{ending}.partial").open("ab") as file:
            file.write(b"torn" * 10_000)
        assert run("export", f"out.{ending}").code == 0
        assert Path(f"out.{ending}").read_bytes() == Path(f"whole.{ending}").read_bytes()

    def test_another_file_or_question_does_not_go_on_but_says_what_differs(
        self, run: Run, kill: Callable[..., None]
    ) -> None:
        write("in.ndjson", *many(3))
        kill(run, "import", "in.ndjson", after=1)
        asked = run("import", "in.ndjson", "--on-conflict", "skip")
        assert (asked.code, "is of one with another --on-conflict. --restart" in asked.err) == (2, True)
        Path("in.ndjson").write_bytes(Path("in.ndjson").read_bytes() + b"\n")
        changed = run("import", "in.ndjson")
        assert (changed.code, "is of one with another size" in changed.err) == (2, True)
        assert counts(run("import", "in.ndjson", "--restart", "--on-conflict", "skip", "--json")) == {"skipped": 3}
        Path("in.ndjson.import-state").write_text("{")
        assert "cannot be read" in run("import", "in.ndjson").err

    def test_another_store_does_not_go_on_either(self, run: Run, elsewhere: Run, kill: Callable[..., None]) -> None:
        write("in.ndjson", *many(3))
        kill(run, "import", "in.ndjson", after=1)
        assert "is of one with another store" in elsewhere("import", "in.ndjson").err


class TestCost:
    def test_memory_does_not_grow_with_the_file(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(batches, "_BATCH_LINES", 10)
        monkeypatch.setattr(exports, "PAGE", 10)

        def peak(*words: str) -> int:
            tracemalloc.start()
            assert run(*words).code == 0
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

        peaks = []
        for count in (1, 60, 300):
            write("in.ndjson", *many(count))
            peaks.append((peak("import", "in.ndjson"), peak("export", "out.ndjson"), peak("export", "out.csv")))
        assert all(most < 1.5 * little for little, most in zip(*peaks[1:], strict=True)), peaks


class TestWrongUse:
    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("import", "nothing.ndjson"), "the file nothing.ndjson cannot be read"),
            (("import", "in.csv", "--restore"), "gateway export --backup"),
            (("export", "out.csv", "--backup"), "NDJSON"),
            (("export", "--json"), "needs a FILE"),
            (("export", "--filter", "cit eq 'x'"), "Did you mean city?"),
            (("export", "nowhere/out.ndjson"), "cannot be written"),
            (("import", "in.csv", "--on-conflict", "pray"), "--on-conflict"),
        ],
    )
    def test_it_is_told_in_plain_words_with_exit_code_2(self, run: Run, words: tuple[str, ...], told: str) -> None:
        ended = run(*words)
        assert ended.code == 2
        assert ended.out == ""
        assert told in " ".join(ended.err.split())
