"""The page of all commands, made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import typer

from app.cli.session import ENDS


class Described(NamedTuple):
    """One command: its words, its click command, its examples."""

    words: str
    command: Any
    examples: list[str]


def commands(command_line: typer.Typer) -> list[Described]:
    """Return all commands of a command line that are shown, in their order."""
    return list(_below("gateway", typer.main.get_command(command_line)))


def _below(words: str, command: Any) -> Iterator[Described]:
    for name, one in getattr(command, "commands", {}).items():
        if hasattr(one, "commands"):
            yield from _below(f"{words} {name}", one)
        elif not one.hidden:
            examples = re.sub("^Examples?: ", "", one.epilog or "").split(" · ")
            yield Described(f"{words} {name}", one, [example for example in examples if example])


def body(command_line: typer.Typer) -> str:
    """Return what stands below the title."""
    sections = [_section(one) for one in commands(command_line)]
    found = "`gateway` is [in `.venv/bin`](start.md#the-examples-of-these-pages) after `make setup`."
    suggested = "Suggestions for the shell come with `gateway --install-completion`."
    return f"{found} {ENDS}\n\n{suggested}\n\n" + "\n".join(sections)


def _section(one: Described) -> str:
    examples = "".join(f"    {example}\n" for example in one.examples)
    help_text = " ".join((one.command.help or "").split())
    return f"## {one.words}\n\n{help_text}\n\n{examples}\n{_options(one.command.params)}"


def _options(params: list[Any]) -> str:
    rows = [f"| `{_name(param)}` | {_default(param)} | {_told(param)} |\n" for param in params if _name(param)]
    return "| Option | Default | What it says |\n| --- | --- | --- |\n" + "".join(rows) if rows else ""


def _name(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.name).upper()
    names = [*param.opts, *param.secondary_opts]
    return "" if "--help" in names else ", ".join(names)


def _default(param: Any) -> str:
    if param.required:
        return "needed"
    if param.default is None or isinstance(param.default, bool) or callable(param.default):
        return ""
    return f"`{param.default}`"


def _told(param: Any) -> str:
    choices = [choice for choice in get_args(param.type_descriptor.annotation) if isinstance(choice, str)]
    said = str(param.help or "").replace("|", "\\|")
    return f"{said} One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else said
