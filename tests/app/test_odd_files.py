"""`gateway import` and `gateway export` where files are odd, gone or streams: nothing is lost."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from pymongo import MongoClient

from app.cli.importing import FileJournal, Report
from app.cli.sources import Interruptible, let_go
from app.http.body import parse_json
from app.transfer import importing as batches
from app.transfer import state
from resolvers.imports import CustomerImport, Rules
from resolvers.problem import Problem
from resolvers.problems import CONFLICT
from storage.store import Store
from tests import factories
from tests.app.test_files import counts, many, read, report, write
from tests.commands import COMMAND, environment, until
from tests.inprocess import Run


@pytest.fixture
def customers(mongod_url: str, database: str) -> Iterator[Any]:
    """The stored documents, beside the gateway."""
    with MongoClient[dict[str, Any]](mongod_url) as client:
        yield client[database]["customers"]


class Killed(BaseException):
    """The command ends here, as by kill -9."""


def killed(*_words: Any, **_options: Any) -> None:
    """End the command."""
    raise Killed


async def killed_later(*_words: Any) -> None:
    """End the command, from within the loop."""
    raise Killed


def write_many(name: str, count: int) -> str:
    """Write a file of customers, and return its name."""
    write(name, *many(count))
    return name


def names() -> list[str]:
    """Return the names of what is in the folder."""
    return sorted(path.name for path in Path().iterdir())


def unfinished(name: str, report_bytes: int) -> None:
    """Leave beside a file what an import leaves that was killed after lines which it refused."""
    state.write(state.ImportState({}, "00", report=report_bytes), Path(f"{name}.import-state"))


class TestNames:
    @pytest.mark.parametrize("words", [("import", "."), ("import", ""), ("export", "."), ("export", "folder")])
    def test_a_folder_is_refused_before_anything_is_done(self, run: Run, words: tuple[str, ...]) -> None:
        Path("folder").mkdir()
        ended = run(*words)
        assert (ended.code, ended.out, names()) == (2, "", ["folder"])
        assert "folder" in ended.err or "is a directory" in ended.err

    def test_a_report_is_not_written_over_the_file_that_is_imported(self, run: Run) -> None:
        body = factories.customer()
        write("in.ndjson", body)
        ended = run("import", "in.ndjson", "--report", "./in.ndjson")
        assert (ended.code, read("in.ndjson")) == (2, [body])
        assert "is the file itself" in ended.err

    @pytest.mark.usefixtures("run")
    def test_a_file_whose_name_is_not_utf_8_is_written_and_named(self) -> None:
        name = os.fsdecode(b"caf\xe9.ndjson")
        done = subprocess.run(
            [*COMMAND, "export", name],
            env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, b"wrote nothing into caf\xe9.ndjson\n"), done.stderr
        assert Path(name).exists()


class TestStreams:
    def test_a_pipe_is_read_as_standard_input_is_and_nothing_is_kept_beside_it(self, run: Run) -> None:
        os.mkfifo("pipe")
        body = json.dumps(factories.customer())
        with subprocess.Popen(["/bin/sh", "-c", f"echo '{body}' > pipe"]):
            assert counts(run("import", "pipe", "--json")) == {"created": 1}
        assert names() == ["pipe"]

    def test_an_export_leaves_what_is_no_file_in_its_place(self, run: Run) -> None:
        assert run("import", write_many("in.ndjson", 3)).code == 0
        os.mkfifo("pipe")
        with subprocess.Popen(["/bin/cat", "pipe"], stdout=subprocess.PIPE) as reader:
            code = run("export", "pipe").code
            kept = Path("pipe").is_fifo()
            if not kept:
                reader.kill()  # it waits for who never comes
            assert (code, kept) == (0, True)
            assert reader.stdout is not None
            assert len(reader.stdout.readlines()) == 3
        assert names() == ["in.ndjson", "pipe"]

    def test_ctrl_c_ends_an_import_that_waits_for_more_of_its_pipe(
        self, tmp_path: Path, mongod_url: str, database: str, customers: Any
    ) -> None:
        env = environment(tmp_path, mongodb_url=mongod_url, mongodb_database=database)
        lines = "".join(json.dumps(body) + "\n" for body in many(1001)).encode()
        with subprocess.Popen(
            [*COMMAND, "import", "-"],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - as a shell starts it
        ) as process:
            assert process.stdin is not None
            process.stdin.write(lines)
            process.stdin.flush()
            until(lambda: customers.count_documents({}) == 1000, 30, "the first batch")
            process.send_signal(signal.SIGINT)
            code = process.wait(20)
            process.stdin.close()
        assert code == 130

    async def test_an_import_that_fails_while_it_stores_does_not_wait_for_more_of_its_pipe(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "_BATCH_LINES", 1)
        near, far = os.pipe()
        os.write(far, json.dumps(factories.customer()).encode() + b"\n")
        importer, begun = CustomerImport(store, Rules(b"seed")), state.ImportState({}, "00")
        with io.BufferedReader(Interruptible(near)) as source, let_go(cast("BinaryIO", source)):
            journal = FullDisk(None, Report(None), None, lambda *_: None)
            job = batches.ImportJob(cast("BinaryIO", source), parse_json, importer, begun, journal)
            async with asyncio.timeout(20):
                with pytest.raises(OSError, match="full"):
                    await job.run()
        os.close(near)
        os.close(far)


class FullDisk(FileJournal):
    """A journal that cannot be kept."""

    async def record(self, *_: Any) -> None:
        """Fail."""
        raise OSError("full")


class TestWhatIsGone:
    @pytest.mark.parametrize("left", [None, b"short"])
    def test_an_export_begins_again_where_what_it_has_written_is_gone(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, left: bytes | None
    ) -> None:
        run("import", write_many("in.ndjson", 5))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", killed)
            with pytest.raises(Killed):  # when the file has its name already
                run("export", "out.ndjson")
        whole = Path("out.ndjson").read_bytes()
        if left is not None:
            Path("out.ndjson.partial").write_bytes(left)
        ended = run("export", "out.ndjson")
        assert (ended.code, ended.out) == (0, "wrote 5 customers into out.ndjson\n")
        assert Path("out.ndjson").read_bytes() == whole
        assert "it begins again" in ended.err
        assert names() == ["in.ndjson", "out.ndjson"]

    def test_a_report_that_was_shortened_meanwhile_is_not_filled_up(self, tmp_path: Path) -> None:
        path = tmp_path / "refused.csv"
        for kept in (b"line,field,reason\n", None):
            path.unlink() if kept is None else path.write_bytes(kept)
            again = Report(path, size=500)
            again.begin()
            again.add({7: Problem(CONFLICT, "Taken.")})
            assert path.read_bytes() == b"line,field,reason\n7,,Taken.\n"

    def test_a_dry_run_leaves_the_report_of_an_import_that_has_not_ended(self, run: Run) -> None:
        write("in.ndjson", "{}")
        Path("in.ndjson.refused.csv").write_text("line,field,reason\n")
        unfinished("in.ndjson", 18)
        ended = run("import", "in.ndjson", "--dry-run")
        assert (ended.code, Path("in.ndjson.refused.csv").read_text()) == (2, "line,field,reason\n")
        assert "has not ended" in ended.err
        assert run("import", "in.ndjson", "--dry-run", "--report", "other.csv").code == 3
        assert len(report("other.csv")) == 6

    @pytest.mark.parametrize("text", [b"\xff", b"[]", b'{"told": [], "seed": "00"}', b'{"told": {}, "seed": "00"}'])
    def test_a_state_that_is_none_is_said_to_be_none(self, run: Run, text: bytes) -> None:
        write("in.ndjson", factories.customer())
        Path("in.ndjson.import-state").write_bytes(text)
        ended = run("import", "in.ndjson")
        assert (ended.code, "--restart begins again" in ended.err) == (2, True)
        assert counts(run("import", "in.ndjson", "--restart", "--json")) == {"created": 1}

    def test_an_import_that_is_stopped_while_its_indexes_are_made_has_not_ended(self, run: Run, customers: Any) -> None:
        write_many("in.ndjson", 3)
        customers.drop_indexes()
        customers.create_index("nothing", name="updatedAt")  # in the place of one of the gateway's
        assert run("import", "in.ndjson").code == 1
        assert (customers.count_documents({}), Path("in.ndjson.import-state").exists()) == (3, True)
        customers.drop_index("updatedAt")
        assert counts(run("import", "in.ndjson", "--json")) == {"created": 3}
        assert not Path("in.ndjson.import-state").exists()


class TestDryRuns:
    @pytest.mark.parametrize("conflict", ["fail", "skip", "update"])
    @pytest.mark.parametrize("size", [1, 3, 1000])
    def test_a_dry_run_tells_what_the_run_then_does_though_lines_have_one_address(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, conflict: str, size: int
    ) -> None:
        monkeypatch.setattr(batches, "_BATCH_LINES", size)
        stored, new = many(2)
        write("before.ndjson", stored)
        run("import", "before.ndjson")
        changed = {**new, "lastName": "Changed", "email": new["email"].upper()}
        again = {**stored, "lastName": "Again"}
        write("in.ndjson", stored, again, again, stored, new, new, changed, changed, {}, new, factories.customer())
        words = ("import", "in.ndjson", "--on-conflict", conflict, "--json")
        dry = run(*words, "--dry-run")
        reported = Path("in.ndjson.refused.csv").read_text()
        real = run(*words)
        assert counts(dry) == counts(real)
        assert reported == Path("in.ndjson.refused.csv").read_text()

    def test_a_dry_run_of_a_backup_tells_which_tombstones_are_there_already(self, run: Run, customers: Any) -> None:
        run("import", write_many("in.ndjson", 2))
        gone = customers.find_one({})["id"]
        run("export", "before.ndjson", "--backup")
        tombstone = {"id": gone, "version": 2, "deletedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000Z"}
        write("gone.ndjson", tombstone)
        assert counts(run("import", "gone.ndjson", "--restore", "--dry-run", "--json")) == {"erased": 1}
        assert counts(run("import", "gone.ndjson", "--restore", "--json")) == {"erased": 1}
        assert counts(run("import", "gone.ndjson", "--restore", "--dry-run", "--json")) == {"unchanged": 1}
        assert counts(run("import", "gone.ndjson", "--restore", "--json")) == {"unchanged": 1}


class TestRestoring:
    def test_a_customer_who_is_older_than_the_rules_for_us_addresses_comes_back(
        self, run: Run, customers: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write("in.ndjson", factories.customer(addresses=[factories.address(country="USA", state="California")]))
        run("import", "in.ndjson")
        run("export", "backup.ndjson", "--backup")
        customers.delete_many({})
        monkeypatch.setenv("GATEWAY_US_ADDRESS_RULES", "true")
        assert counts(run("import", "in.ndjson", "--json")) == {"refused": 1}
        assert counts(run("import", "backup.ndjson", "--restore", "--json")) == {"created": 1}

    def test_a_line_that_was_stored_counts_as_created_though_the_customer_has_another_address_now(
        self, run: Run, customers: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, _ = write("in.ndjson", *many(2))
        with monkeypatch.context() as patch:
            patch.setattr(FileJournal, "record", killed_later)
            with pytest.raises(Killed):
                run("import", "in.ndjson")
        customers.update_one({"email": first["email"]}, {"$set": {"email": "a@b.example", "keys.email": "a@b.example"}})
        assert counts(run("import", "in.ndjson", "--json")) == {"created": 2}


def test_a_terminal_obeys_nothing_that_a_file_says(run: Run) -> None:
    write("in.ndjson", json.dumps({**factories.customer(), "\x1b]0;gotcha\x07": 1}))
    ended = run("import", "in.ndjson", "--strict")
    assert (ended.code, "?]0;gotcha?" in ended.err, "\x1b" in ended.err) == (3, True, False)
