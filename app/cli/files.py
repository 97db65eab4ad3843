"""`gateway import`, `gateway export`, `gateway template`: customers from files and into files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

import typer

from app.cli.exporting import ExportJob, summary
from app.cli.importing import FileJournal, PatientImporter, Report
from app.cli.loading import indexes_last
from app.cli.progress import Tell, telling_progress
from app.cli.session import ERR, IN_PART, audited, check_text, emit, fail, misuse, read_settings, with_store
from app.cli.sources import STANDARD, beside, give_name, is_stream, let_go, reading, writing
from app.transfer import state
from app.transfer.columns import BadHeader, TooFewColumns
from app.transfer.formats import Format, Read, format_of, reader_of, template
from app.transfer.importing import REFUSED, ImportJob
from app.transfer.lines import lines
from app.transfer.state import ExportState, ImportState, OtherState
from resolvers.exports import Export
from resolvers.imports import OUTCOMES, CustomerImport, Importer, OnConflict, Rules
from resolvers.problem import Problem
from resolvers.restores import Restore
from storage.errors import StoreError
from storage.query import EVERYTHING, Filter
from storage.store import Store

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print the counts as JSON alone.")]
InFormat = Annotated[Format | None, typer.Option("--format", help="By default what the file's name ends in says it.")]
Restart = Annotated[bool, typer.Option("--restart", help="Begin again where an earlier run did not end.")]


def import_customers(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; - for standard input.")],
    form: InFormat = None,
    on_conflict: Annotated[
        OnConflict, typer.Option("--on-conflict", help="What becomes of a line whose e-mail address is taken.")
    ] = "fail",
    restore: Annotated[
        bool, typer.Option("--restore", help="Take a backup: with ids, versions, times and tombstones.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse unknown properties, not ignore them.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every line and store nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Where refused lines are told; by default FILE.refused.csv.")
    ] = None,
    restart: Restart = False,
    as_json: AsJson = False,
) -> None:
    """Add the customers of a file, one in each line, NDJSON or CSV. The same command goes on after a kill."""
    kind = _format(file, form)
    if restore and (kind == "csv" or strict):
        misuse("--restore takes what `gateway export --backup` wrote: NDJSON, without --strict.")
    told: dict[str, Any] = {"--on-conflict": on_conflict, "--restore": restore, "--strict": strict, "format": kind}
    told["--report"] = None if report is None else str(report)
    kept = None if is_stream(file) or dry_run else beside(file, "import-state")
    refused = _report(file, report, dry_run=dry_run)
    settings = read_settings()
    with reading(file) as source:
        read, size = _reader(source, kind), None if is_stream(file) else os.fstat(source.fileno()).st_size

        async def work(store: Store) -> ImportState:
            found = await _import_state(store, kept, {**told, **_identity(source, kept)}, restart=restart)
            rules = Rules(bytes.fromhex(found.seed), on_conflict, strict, dry_run, settings.us_address_rules)
            importer: Importer = Restore(store, rules) if restore else CustomerImport(store, rules)
            _stand(source, kind, found)
            with telling_progress() as tell:
                journal = FileJournal(kept, Report(refused, found.report), size, tell)
                job = ImportJob(source, read, PatientImporter(importer), found, journal)
                with let_go(source):
                    await _or_say_how_to_go_on(_to_the_end(store, job, tell), kept)
                journal.end()
            return job.state

        with audited(settings, "importCustomers", dry_run=dry_run) as facts:
            done = with_store(settings, work, None, indexed=False)
            facts["counts"] = done.counts
    _tell_import(done, refused, as_json=as_json, dry_run=dry_run)
    if done.counts.get(REFUSED):
        raise typer.Exit(IN_PART)


async def _to_the_end(store: Store, job: ImportJob, tell: Tell) -> None:
    """Import, with what is missing of the indexes: who is stopped while they are made has not ended either."""
    async with indexes_last(store, tell):
        await job.run()


def _report(file: str, chosen: Path | None, *, dry_run: bool) -> Path | None:
    """Return where refused lines are told; None where they are not. What is there is lost, so not where that hurts."""
    if chosen is None and is_stream(file):
        return None
    report = chosen or beside(file, "refused.csv")
    if report.exists() and Path(file).exists() and report.samefile(file):
        misuse(f"--report {report} is the file itself.")
    if dry_run and chosen is None and beside(file, "import-state").exists():
        misuse(f"an import of {file} has not ended, and goes on with {report}: say where else to --report.")
    return report


def _format(file: str, form: Format | None) -> Format:
    if (found := format_of(file, form)) is None:
        misuse(f"the ending of {file} tells no format: say --format ndjson or --format csv.")
    return found


def export_customers(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; - for standard output.")] = STANDARD,
    form: InFormat = None,
    where: Annotated[str | None, typer.Option("--filter", help="Only these: what REST's filter takes.")] = None,
    backup: Annotated[
        bool, typer.Option("--backup", help="With ids, versions, times and tombstones, for --restore.")
    ] = False,
    restart: Restart = False,
    as_json: AsJson = False,
) -> None:
    """Write all customers, one in each line, NDJSON or CSV. The same command goes on after a kill."""
    kind = _format(file, form)
    if backup and kind == "csv":
        misuse("--backup writes NDJSON: CSV has no place for versions and ids of parts.")
    if as_json and file == STANDARD:
        misuse("--json needs a FILE: standard output holds the customers.")
    asked = _filter(where)
    told = {"--filter": where, "--backup": backup, "format": kind}
    if Path(file).is_dir():
        misuse(f"{file or 'the empty name'} is a folder: name a file in it.")
    kept = None if is_stream(file) else beside(file, "export-state")

    async def work(store: Store) -> ExportState:
        found = await _export_state(store, file, kept, told, restart=restart)
        with writing(file, found.offset) as target, telling_progress() as tell:
            erased = backup and where is None
            job = ExportJob(Export(store, asked), target, found, kept, kind, backup, erased, tell)
            try:
                await _or_say_how_to_go_on(job.run(), kept)
            except TooFewColumns:
                fail("a customer got more addresses or phone numbers meanwhile. Run it again with --restart.")
        return found

    settings = read_settings()
    with audited(settings, "exportCustomers"):
        done = with_store(settings, work, None, indexed=False)
    if kept is not None:
        give_name(file, kept)
    _tell_export(done, file, as_json=as_json)


async def _export_state(
    store: Store, file: str, kept: Path | None, told: dict[str, Any], *, restart: bool
) -> ExportState:
    """Return how far the file is; from its beginning where it is not as long as a run before has left it."""
    told = {**told, "store": await _store_name(store)}
    found = None if kept is None else _kept(ExportState, kept, told, restart=restart)
    if found is None or found.offset <= _length(beside(file, "partial")):
        return found or ExportState(told)
    ERR.print("what it has written is not there any more; it begins again", highlight=False)
    return ExportState(told)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


def print_template(
    form: Annotated[Format, typer.Option("--format", help="The format of the file.")] = "csv",
) -> None:
    """Print a file with one customer in it, to write an import like."""
    emit(template(form).decode().rstrip("\n"))


def _reader(source: BinaryIO, kind: Format) -> Read:
    """Return what reads the lines. The file then stands behind the line of column names, if it has one."""
    if kind == "ndjson":
        return reader_of(kind, b"")
    header = next(lines(source), None)
    if header is None or not header.raw:
        misuse("the first line must name the columns. `gateway template` prints a file to begin with.")
    try:
        return reader_of(kind, header.raw)
    except BadHeader as error:
        misuse(f"the first line is wrong: {error}. `gateway template` prints a file to begin with.")
    except Problem as problem:
        misuse(f"the first line is wrong: {problem.detail}")


def _stand(source: BinaryIO, kind: Format, found: ImportState) -> None:
    """Go to the first line that is left; behind the line of column names, where one was read."""
    if found.offset:
        source.seek(found.offset)
    elif kind == "csv":
        found.line = 1
        found.offset = source.tell() if source.seekable() else 0


def _identity(source: BinaryIO, kept: Path | None) -> dict[str, Any]:
    if kept is None:
        return {}
    facts = os.fstat(source.fileno())
    return {"size": facts.st_size, "time of change": facts.st_mtime_ns}


async def _store_name(store: Store) -> str:
    """Return what tells this store from every other, and this database from one made anew under its name."""
    return hashlib.sha256(await store.secret("transfers")).hexdigest()[:16]


async def _import_state(store: Store, kept: Path | None, told: dict[str, Any], *, restart: bool) -> ImportState:
    told = {**told, "store": await _store_name(store)}
    found = _kept(ImportState, kept, told, restart=restart) if kept else None
    return found or ImportState(told, secrets.token_hex(32))


def _kept(kind: type[state.T], path: Path, told: dict[str, Any], *, restart: bool) -> state.T | None:
    """Return the state of the run that did not end, None where there is none or it does not count."""
    try:
        found = None if restart else state.read(kind, path, told)
    except OtherState as error:
        misuse(f"{path} {error}. --restart begins again.")
    except OSError as error:
        misuse(f"{path} cannot be read: {(error.strerror or 'unknown').lower()}.")
    if found is not None:
        ERR.print(f"going on where the last run ended, see {path}", markup=False, highlight=False, soft_wrap=True)
    return found


def _filter(text: str | None) -> Filter:
    if text is None:
        return EVERYTHING
    check_text("--filter", text)
    from app.rest.odata import parse_filter

    try:
        return parse_filter(text)
    except Problem as problem:
        misuse(f"--filter: {problem.detail}")


async def _or_say_how_to_go_on(run: Awaitable[T], kept: Path | None) -> T:
    try:
        return await run
    except (StoreError, asyncio.CancelledError):
        if kept is not None:
            ERR.print("stopped; the same command goes on from there", highlight=False)
        raise
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"{error.filename or 'the file'}: {(error.strerror or 'it failed').lower()}.")


def _tell_import(done: ImportState, report: Path | None, *, as_json: bool, dry_run: bool) -> None:
    counts = {name: done.counts.get(name, 0) for name in (*OUTCOMES, REFUSED)}
    named = str(report) if report and counts[REFUSED] else None
    if as_json:
        emit(json.dumps({**counts, "report": named, "dryRun": dry_run}))
        return
    told = summary([(name, counts[name]) for name in counts])
    emit(f"{'would be: ' if dry_run else ''}{told}{f'; see {named}' if named else ''}")


def _tell_export(done: ExportState, file: str, *, as_json: bool) -> None:
    if as_json:
        emit(json.dumps({"file": file, "customers": done.customers, "tombstones": done.tombstones}))
    elif file != STANDARD:
        emit(f"wrote {summary([('customers', done.customers), ('tombstones', done.tombstones)])} into {file}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "import",
        epilog="Examples: gateway import customers.csv --on-conflict skip · gateway import backup.ndjson --restore",
    )(import_customers)
    app.command(
        "export",
        epilog="Examples: gateway export customers.csv · gateway export backup.ndjson --backup · "
        "gateway export --filter \"city eq 'Berlin'\" | head",
    )(export_customers)
    app.command("template", epilog="Example: gateway template --format csv > customers.csv")(print_template)
