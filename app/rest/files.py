"""The handlers of files of customers: import, export, the report of refused lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, cast

import orjson
from starlette.responses import Response, StreamingResponse

from app.http.body import body_pieces
from app.http.negotiation import accept_of, accepted_quality
from app.http.requests import base_url
from app.rest.call import Call
from app.rest.jobs import asked_job, begun_response, rest_error
from app.rest.questions import where_of
from app.transfer.columns import BadHeader
from app.transfer.exporting import read_ahead
from app.transfer.formats import Format, Ndjson, Table, Writer, reader_of
from app.transfer.lines import first_line
from resolvers.exports import Export, ExportCustomers, Page, export_customers
from resolvers.imports import ON_CONFLICT, OnConflict
from resolvers.jobs import get_refused_lines, shown_error
from resolvers.operation import problem_of
from resolvers.problem import Problem
from resolvers.problems import MALFORMED_REQUEST
from resolvers.uploads import ImportCustomers, import_customers, open_upload
from storage.deadlines import wire_deadline
from storage.errors import StoreError

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
FORMATS: Final[dict[str, Format]] = {NDJSON: "ndjson", CSV: "csv"}
_TYPES: Final = {"ndjson": NDJSON, "csv": f"{CSV}; charset=utf-8; header=present"}
_PAGE_SECONDS: Final = 30.0
"""How long the store may take over a page."""
_COLUMNS_SECONDS: Final = 60.0
"""How long the store may take to tell how many columns a table needs: it looks at every customer."""


async def import_all(call: Call) -> Response:
    """POST /customers:import."""
    form = FORMATS[call.media_type(*FORMATS)]
    on_conflict = cast("OnConflict", call.parameters.choice("onConflict", ON_CONFLICT, "fail"))
    upload = await open_upload(call.ctx, lambda beginning: _look(form, beginning))
    try:
        async for piece in body_pieces(call.request):
            await upload.write(piece)
        await upload.close()
    except BaseException:
        await upload.discard()
        raise
    call.ctx.begin()
    command = ImportCustomers(upload, form, on_conflict, call.strict, call.dry_run, call.key())
    job = await import_customers(call.ctx, command)
    if call.ctx.replayed:
        await upload.discard()
    return begun_response(call, job)


def _look(form: Format, beginning: bytes) -> None:
    """Raise malformed-request where a table's first line does not name columns."""
    try:
        reader_of(form, first_line(beginning))
    except BadHeader as error:
        raise Problem(MALFORMED_REQUEST, f"The first line must name the columns: {error}.") from error


async def export_all(call: Call) -> Response:
    """GET /customers:export."""
    form = _wanted(call)
    export = await export_customers(call.ctx, ExportCustomers(where_of(call.parameters)))
    body: AsyncIterator[bytes] = _nothing()
    if call.request.method != "HEAD":
        try:
            body = await _begun(export, form)
        except StoreError as error:
            raise problem_of(error) from error
    name = {"Content-Disposition": f'attachment; filename="customers.{form}"'}
    return _streamed(call, body, _TYPES[form], name)


def _wanted(call: Call) -> Format:
    """Return the format that the parameter says, else the one that Accept wants more."""
    header = accept_of(call.request)
    csv, ndjson = (accepted_quality(header, name) for name in (CSV, NDJSON))
    chosen = call.parameters.choice("format", ("ndjson", "csv"), "csv" if header and csv > ndjson else "ndjson")
    return "csv" if chosen == "csv" else "ndjson"


async def _begun(export: Export, form: Format) -> AsyncIterator[bytes]:
    """Read what an answer needs before it begins: a store that is away is told by a problem then.

    Later the connection is cut, and the client misses the end of the chunked body.
    """
    with wire_deadline(_COLUMNS_SECONDS):
        writer: Writer = Table(*await export.most_parts()) if form == "csv" else Ndjson()
    pages = _bounded(export.pages())
    first = await anext(pages, None)
    return _written(writer, first, pages)


async def _bounded(pages: AsyncIterator[Page]) -> AsyncIterator[Page]:
    while True:
        with wire_deadline(_PAGE_SECONDS):
            page = await anext(pages, None)
        if page is None:
            return
        yield page


async def _written(writer: Writer, first: Page | None, pages: AsyncIterator[Page]) -> AsyncIterator[bytes]:
    yield writer.header()
    if first is not None:
        yield writer.lines(first.customers)
        async for page in read_ahead(pages):
            yield writer.lines(page.customers)


async def _nothing() -> AsyncIterator[bytes]:
    """Give no bytes: what HEAD shows of a body."""
    nothing: tuple[bytes, ...] = ()
    for piece in nothing:
        yield piece


async def get_refused(call: Call) -> Response:
    """GET /operations/{operationId}/refused-lines."""
    pieces = await get_refused_lines(call.ctx, asked_job(call))
    site = base_url(call.request)
    body = _nothing() if call.request.method == "HEAD" else _reported(pieces, site)
    return _streamed(call, body, NDJSON, {})


async def _reported(pieces: AsyncIterator[bytes], site: str) -> AsyncIterator[bytes]:
    while True:
        with wire_deadline(_PAGE_SECONDS):
            piece = await anext(pieces, None)
        if piece is None:
            return
        errors = (rest_error(shown_error(orjson.loads(line)), site) for line in piece.splitlines())
        yield b"".join(orjson.dumps(error, option=orjson.OPT_APPEND_NEWLINE) for error in errors)


def _streamed(call: Call, body: AsyncIterator[bytes], kind: str, headers: dict[str, str]) -> Response:
    canonical = {"Link": f'<{call.canonical}>; rel="canonical"'} if call.canonical else {}
    return StreamingResponse(body, headers={"Content-Type": kind, "Vary": "Accept, Prefer", **canonical, **headers})
