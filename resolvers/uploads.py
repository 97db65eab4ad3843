"""What an import is sent, on its way into the store; and the operation that imports it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import itemgetter
from typing import Literal

from resolvers.context import Context, IdempotencyKey, Scope
from resolvers.idempotency import Keyed
from resolvers.imports import OnConflict
from resolvers.jobs import begin_job, check_room, new_job_id
from resolvers.operation import operation, problem_of
from resolvers.problem import JsonValue, Problem
from resolvers.problems import EMPTY_BODY
from storage.chunks import CHUNK
from storage.deadlines import wire_deadline
from storage.errors import StoreError
from storage.jobs import Job, JobId


@dataclass(slots=True)
class Upload:
    """A file that is stored while it comes, in pieces of one size: no more than one of them is held.

    `look` sees the beginning of the file, at least one line of it, before anything is stored, and may refuse it.
    """

    ctx: Context
    look: Callable[[bytes], None]
    job_id: JobId = field(default_factory=new_job_id)
    size: int = 0
    lines: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _pieces: int = 0
    _ends: bool = True
    _hash: blake2b = field(default_factory=blake2b)

    async def write(self, data: bytes) -> None:
        """Take some bytes. Raises unavailable, and what `look` raises."""
        if not data:
            return
        self._held += data
        self._hash.update(data)
        self.size += len(data)
        self.lines += data.count(b"\n")
        self._ends = data.endswith(b"\n")
        while len(self._held) >= CHUNK:
            await self._store(bytes(self._held[:CHUNK]))
            del self._held[:CHUNK]

    @property
    def digest(self) -> str:
        """What stands for the bytes that came."""
        return self._hash.hexdigest()

    async def close(self) -> None:
        """Store the rest; nothing more comes. Raises empty-body, unavailable, and what `look` raises."""
        if not self.size:
            raise Problem(EMPTY_BODY, "This needs the lines of a file as its body.")
        if self._held:
            await self._store(bytes(self._held))
            self._held.clear()
        self.lines += not self._ends

    async def discard(self) -> None:
        """Forget what came; where the store is away, it does so itself within a day."""
        if not self._pieces:
            return
        try:
            with wire_deadline(self.ctx.services.request_timeout):
                await self.ctx.store.chunks.drop(self.job_id, "payload")
        except StoreError:
            return

    async def _store(self, piece: bytes) -> None:
        if self._pieces == 0:
            self.look(piece)
        try:
            with wire_deadline(self.ctx.services.request_timeout):
                self._pieces += 1
                await self.ctx.store.chunks.put(self.job_id, "payload", self._pieces - 1, piece)
        except StoreError as error:
            raise problem_of(error) from error


async def open_upload(ctx: Context, look: Callable[[bytes], None]) -> Upload:
    """Return what takes the file of an import. Raises forbidden, rate-limited, unavailable."""
    ctx.require(Scope.ADMIN)
    try:
        with wire_deadline(ctx.services.request_timeout):
            await check_room(ctx)
    except StoreError as error:
        raise problem_of(error) from error
    return Upload(ctx, look)


@dataclass(frozen=True, slots=True)
class ImportCustomers:
    """The import of a file that has come whole; `strict` refuses unknown properties, `dry_run` stores nobody."""

    upload: Upload
    form: Literal["ndjson", "csv"]
    on_conflict: OnConflict = "fail"
    strict: bool = False
    dry_run: bool = False
    key: IdempotencyKey | None = None


def _keyed(_ctx: Context, command: ImportCustomers) -> Keyed[Job] | None:
    """Return what an import means: its rules, and the bytes of its file."""
    if command.key is None:
        return None
    means: list[JsonValue] = [command.form, command.on_conflict, command.strict, command.upload.digest]
    return Keyed(command.key, means, itemgetter("job"))


@operation(
    "importCustomers",
    scope=Scope.ADMIN,
    rest=("POST /customers:import",),
    rest_alone="its body is a file of any size; `createCustomer` makes single customers.",
    summary="Import customers from a file",
    keyed=_keyed,
)
async def import_customers(ctx: Context, command: ImportCustomers) -> Job:
    """Begin the import of a file and return its operation. Raises unavailable."""
    upload = command.upload
    task = {
        "format": command.form,
        "onConflict": command.on_conflict,
        "strict": command.strict,
        "seed": secrets.token_bytes(32),
        "size": upload.size,
    }
    total = upload.lines - (command.form == "csv")
    return await begin_job(ctx, "import", task, job_id=upload.job_id, total=total, dryRun=command.dry_run)
