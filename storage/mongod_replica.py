"""Making a started mongod a primary with the gateway's user: the keeper's conversation with it."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymongo import MongoClient

NAME = "gateway"  # of the replica set, of the user and of its role
HOST = "127.0.0.1"

_ANSWER_MS = 2000
_ELECTION = 2.0  # seconds; a set of one needs some milliseconds
_TICK = 0.005  # seconds
_NOT_YET = 94  # NotYetInitialized: mongod is still reading the configuration that it stored
_EXISTS = frozenset({51002, 51003})  # the role, the user


def url(port: int, password: str) -> str:
    """The address for the gateway's user."""
    return f"mongodb://{NAME}:{password}@{HOST}:{port}/?replicaSet={NAME}&authSource=admin&authMechanism=SCRAM-SHA-256"


def listens(port: int) -> bool:
    """Whether something takes connections at `port` now."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def prepare(port: int, key: str, password: str) -> str | None:
    """Try to bring a listening mongod to the state that the gateway needs, whichever it is in.

    A replica set of one whose member is at `port` (made, or moved there from an earlier port), which is
    primary, and the gateway's user with its role. Each step may be cut short and done again.

    Args:
        port: Where mongod listens on 127.0.0.1.
        key: The replica set's key; it is what lets the keeper in.
        password: Of the gateway's user.

    Returns:
        None once all is done, else what is still in the way. Takes some seconds at most.
    """
    from pymongo.errors import PyMongoError

    try:
        with _connected(port, username="__system", password=key, authSource="local") as client:
            if not _is_member(client, port):
                return "it is still reading the configuration that it stored"
            if not _becomes_primary(client):
                return "it does not become primary"
            _grant(client, password)
    except PyMongoError as error:
        return str(error)
    return None


def is_primary(port: int) -> bool:
    """Whether the mongod at `port` takes writes now."""
    from pymongo.errors import PyMongoError

    try:
        with _connected(port) as client:
            return _is_primary(client)
    except PyMongoError:
        return False


@contextmanager
def _connected(port: int, **login: str) -> Iterator["MongoClient[dict[str, Any]]"]:
    # Imported late: mongod starts up meanwhile, and pymongo's import takes about as long.
    from pymongo import MongoClient

    options: dict[str, Any] = {
        "serverSelectionTimeoutMS": _ANSWER_MS,
        "connectTimeoutMS": _ANSWER_MS,
        "socketTimeoutMS": 5 * _ANSWER_MS,
    }
    if login:
        options |= {"authMechanism": "SCRAM-SHA-256", **login}
    client: MongoClient[dict[str, Any]] = MongoClient(HOST, port, directConnection=True, **options)
    try:
        yield client
    finally:
        client.close()


def _is_primary(client: "MongoClient[dict[str, Any]]") -> bool:
    return bool(client.admin.command("hello").get("isWritablePrimary"))


def _becomes_primary(client: "MongoClient[dict[str, Any]]") -> bool:
    deadline = time.monotonic() + _ELECTION
    while not _is_primary(client):
        if time.monotonic() > deadline:
            return False
        time.sleep(_TICK)
    return True


def _is_member(client: "MongoClient[dict[str, Any]]", port: int) -> bool:
    from pymongo.errors import OperationFailure

    host = f"{HOST}:{port}"
    stored = client["local"]["system.replset"].find_one()
    try:
        if stored is None:
            members = [{"_id": 0, "host": host}]
            client.admin.command("replSetInitiate", {"_id": NAME, "members": members})
        elif stored["members"][0]["host"] != host:
            stored["members"][0]["host"] = host
            stored["version"] += 1
            # Forced, because the set has no primary for as long as its only member is not found.
            client.admin.command("replSetReconfig", stored, force=True)
    except OperationFailure as error:
        if error.code != _NOT_YET:
            raise
        return False
    return True


def _grant(client: "MongoClient[dict[str, Any]]", password: str) -> None:
    # The database's name is a setting, so the role spans all databases; `readWriteAnyDatabase` leaves out
    # `local`, `config` and every `system.*` collection, and mongod itself refuses to drop `admin`.
    everywhere = {"db": "", "collection": ""}
    role = {
        "roles": ["readWriteAnyDatabase"],
        "privileges": [{"resource": everywhere, "actions": ["collMod", "dropDatabase"]}],
    }
    _put(client, "Role", role)
    _put(client, "User", {"pwd": password, "roles": [NAME], "mechanisms": ["SCRAM-SHA-256"]})


def _put(client: "MongoClient[dict[str, Any]]", kind: str, content: dict[str, Any]) -> None:
    from pymongo.errors import OperationFailure

    try:
        client.admin.command(f"create{kind}", NAME, **content)
    except OperationFailure as error:
        if error.code not in _EXISTS:
            raise
        client.admin.command(f"update{kind}", NAME, **content)
