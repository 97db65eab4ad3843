"""The documents in `docs/` that are made from the code; `gateway documents` writes or checks them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.cli import command_page
from app.observe.families import FAMILIES
from app.rest.customers import PREFIX
from app.rest.openapi_deprecation import deprecation_table
from app.settings import Settings
from resolvers.context import ALL_SCOPES
from resolvers.deprecation import DEPRECATIONS, Deprecations
from resolvers.operation import Operation
from resolvers.operations import OPERATIONS
from resolvers.problems import PROBLEM_TYPES
from schema.build import SchemaOptions, build_schema

DOCS: Final = Path(__file__).parents[2] / "docs"
_MADE: Final = "<!-- Made by `make docs` from {source}; changes here are lost. -->"
_BEGIN: Final = "<!-- Scope matrix: made by `make docs` from the operations' declarations; changes here are lost. -->"
_END: Final = "<!-- End of the scope matrix. -->"
_DEPRECATIONS: Final = "<!-- Deprecations: made by `make docs` from their registry; changes here are lost. -->"
_DEPRECATIONS_END: Final = "<!-- End of the deprecations. -->"


def documents(command_line: typer.Typer) -> Mapping[str, str]:
    """Return the documents by their names in `docs/`, with that command line's commands."""
    return {
        "schema.graphql": graphql_schema(),
        "parity.md": parity(),
        "settings.md": settings(),
        "problems.md": problems(),
        "security.md": security(),
        "metrics.md": metrics(),
        "versions.md": versions(),
        "commands.md": commands(command_line),
    }


def graphql_schema() -> str:
    """Return the GraphQL schema as `gateway schema` prints it."""
    return build_schema(SchemaOptions()).as_str() + "\n"


def parity() -> str:
    """Return the table of operations: what each is called at the two doors."""
    rows = [
        (f"`{one.name}`", one.summary, _scope(one), _codes(map(_route, one.rest)), _fields(one)) for one in OPERATIONS
    ]
    return _page(
        "Parity",
        "the operations' declarations",
        "Each operation is declared once and served by both doors. The build fails where one door lacks what the "
        "other has, unless the operation says here why it is at REST alone.",
        _table(("Operation", "What it does", "Scope", "REST", "GraphQL"), rows),
    )


def settings() -> str:
    """Return the table of settings."""
    rows = [
        (f"`GATEWAY_{name.upper()}`", _default(name, field), f"{field.description}{_choices(field)}")
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        "Settings",
        "app/settings.py",
        "Settings come from the environment, or from a file `.env` in the working folder. "
        "`gateway check` says what is wrong with them.",
        _table(("Setting", "Default", "What it does"), rows),
    )


def problems() -> str:
    """Return the registry of problems, each with its cause and its cure."""
    rows = [(f"[`{kind.slug}`](#{kind.slug})", str(kind.status), str(kind.code), kind.title) for kind in PROBLEM_TYPES]
    sections = [
        f"## {kind.slug}\n\n**{kind.title}** · status {kind.status} · code {kind.code}\n\n{kind.cause}\n\n"
        f"*What to do:* {kind.cure}\n"
        for kind in PROBLEM_TYPES
    ]
    return _page(
        "Problems",
        "the registry of problems",
        "Both doors answer with these. A running gateway shows each at `/problems/{slug}`, the `type` of the problem.",
        _table(("Type", "Status", "Code", "Title"), rows) + "\n" + "\n".join(sections),
    )


def metrics() -> str:
    """Return the table of metrics."""
    rows = [(f"`{one.name}`", one.kind, one.help, _codes(one.labels)) for one in FAMILIES]
    return _page(
        "Metrics",
        "app/observe/families.py",
        "`/metrics` shows these, each as a whole for all workers. "
        "[Operations](operations.md#metrics) tells how to read them.",
        _table(("Metric", "Kind", "What it says", "Labels"), rows),
    )


def commands(command_line: typer.Typer) -> str:
    """Return the page of commands."""
    lead = "They work beside a running gateway, with the same [settings](settings.md). Each has `--help`."
    return _page("Commands", "the commands of the command line", lead, command_page.body(command_line))


def security() -> str:
    """Return the page about security with the scope matrix between its two markers; the rest is written by hand."""
    return _between("security.md", _BEGIN, scope_matrix(), _END)


def versions(deprecations: Deprecations = DEPRECATIONS) -> str:
    """Return the page about versions with the table of deprecations between its two markers."""
    return _between("versions.md", _DEPRECATIONS, deprecation_table(deprecations), _DEPRECATIONS_END)


def _between(name: str, begin: str, made: str, end: str) -> str:
    """Return a page with what is made between its two markers."""
    before, _, rest = (DOCS / name).read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"docs/{name} has lost its markers")
    return f"{before}{begin}\n\n{made}\n{end}{after}"


def scope_matrix() -> str:
    """Return the table of operations and callers: what each may do at both doors, else the status of the refusal."""
    callers = {"none": None, **{scope: {scope} for scope in ALL_SCOPES}, "all": set(ALL_SCOPES)}
    rows = [
        (
            f"`{one.name}`",
            _codes(map(_route, one.rest)),
            _codes(one.graphql) or "none",
            _scope(one),
            *(_answered(one, granted) for granted in callers.values()),
        )
        for one in OPERATIONS
    ]
    return _table(
        ("Operation", "REST", "GraphQL", "Scope", *(name.partition(":")[2] or name for name in callers)), rows
    )


def _answered(one: Operation[Any, Any], granted: Collection[str] | None) -> str:
    if granted is None:
        return "401"
    return "✓" if one.scope is None or one.scope in granted else "403"


def _page(title: str, source: str, lead: str, body: str) -> str:
    return f"{_MADE.format(source=source)}\n\n# {title}\n\n{lead}\n\n{body}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _codes(texts: Iterable[str]) -> str:
    return "<br>".join(f"`{text}`" for text in texts)


def _fields(one: Operation[Any, Any]) -> str:
    return f"None: {one.rest_alone}" if one.rest_alone else _codes(one.graphql)


def _route(route: str) -> str:
    method, path = route.split(" ")
    return f"{method} {PREFIX}{path}"


def _scope(one: Operation[Any, Any]) -> str:
    return f"`{one.scope}`" if one.scope else "any credentials"


def _default(name: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "described at right"
    value = getattr(Settings.model_construct(), name) if field.default is PydanticUndefined else field.default
    if value is None or value == ():
        return "not set"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def _choices(field: FieldInfo) -> str:
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    return f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""


def differing(command_line: typer.Typer, folder: Path = DOCS) -> list[str]:
    """Return the names of the documents that are not in the folder as they should be."""
    return [
        name
        for name, text in documents(command_line).items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]


def write(command_line: typer.Typer, folder: Path = DOCS) -> None:
    """Write all documents."""
    for name, text in documents(command_line).items():
        (folder / name).write_text(text, encoding="utf-8")
