"""What of two versions of the documents breaks old clients: OpenAPI and the GraphQL schema (Semantic Versioning).

For OpenAPI a change breaks if an old client may send what is no longer taken, or miss what it was promised: addresses,
methods, parameters and properties that are gone, have other types or fewer values, are needed now, or are not sure any
more. New values of an enumeration in answers break nobody, by the CRM API Guidelines, Compatibility Contract.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from graphql import build_schema, find_breaking_changes

ROOT: Final = Path(__file__).parents[2]
SDL: Final = "docs/schema.graphql"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_LIMITS: Final = {"maxLength": min, "maximum": min, "maxItems": min, "minLength": max, "minimum": max, "minItems": max}
Json = dict[str, Any]


def broken_openapi(old: Json, new: Json) -> list[str]:
    """Return what old clients of REST would miss."""
    return list(_paths(old, new))


def broken_sdl(old: str, new: str) -> list[str]:
    """Return what old clients of GraphQL would miss, as graphql-core finds it."""
    return [change.description for change in find_breaking_changes(build_schema(old), build_schema(new))]


def _paths(old: Json, new: Json) -> Iterator[str]:
    for path, item in old["paths"].items():
        for method in (method for method in _METHODS if method in item):
            place, now = f"{method.upper()} {path}", new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{place} is gone"
            else:
                yield from _operation(place, (item[method], old), (now, new))


Part = tuple[Any, Json]
"""A part of a document, and the document, in which its references are found."""


def _seen(part: Part) -> Json:
    """Follow a reference."""
    value, document = part
    while "$ref" in value:
        found: Any = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return dict(value)


def _operation(place: str, old: Part, new: Part) -> Iterator[str]:
    yield from _parameters(place, old, new)
    yield from _body(place, old, new)
    for status, answer in old[0]["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in new[0]["responses"]:
            yield f"{place} does not answer {status} any more"
        else:
            then, now = (_seen((one, part[1])) for one, part in ((answer, old), (new[0]["responses"][status], new)))
            yield from _contents(f"{place} {status}", (then, old[1]), (now, new[1]), sent=False)


def _parameters(place: str, old: Part, new: Part) -> Iterator[str]:
    then, now = ({(one["in"], one["name"]): one for one in _listed(part)} for part in (old, new))
    for key, one in then.items():
        if key not in now:
            yield f"{place}: the parameter {key[1]} is gone"
            continue
        schemas = (one.get("schema", {}), old[1]), (now[key].get("schema", {}), new[1])
        yield from _schema(f"{place}: the parameter {key[1]}", *schemas, sent=True)
    for key, one in now.items():
        if one.get("required") and not then.get(key, {}).get("required"):
            yield f"{place}: the parameter {key[1]} is needed now"


def _listed(part: Part) -> list[Json]:
    return [_seen((one, part[1])) for one in part[0].get("parameters", ())]


def _body(place: str, old: Part, new: Part) -> Iterator[str]:
    then, now = (_seen((part[0].get("requestBody", {}), part[1])) for part in (old, new))
    if now.get("required") and not then.get("required"):
        yield f"{place}: a body is needed now"
    yield from _contents(f"{place}: the body", (then, old[1]), (now, new[1]), sent=True)


def _contents(place: str, old: Part, new: Part, *, sent: bool) -> Iterator[str]:
    for media, content in old[0].get("content", {}).items():
        now = new[0].get("content", {}).get(media)
        if now is None:
            yield f"{place} is no {media} any more"
        else:
            yield from _schema(place, (content.get("schema", {}), old[1]), (now.get("schema", {}), new[1]), sent=sent)


def _schema(place: str, old: Part, new: Part, *, sent: bool, depth: int = 0) -> Iterator[str]:
    """Compare two schemas of what is sent or answered; what refers to itself is followed eight levels deep."""
    if depth > 8:
        return
    then, now = _seen(old), _seen(new)
    yield from _types(place, then, now, sent=sent)
    yield from _needs(place, then, now, sent=sent)
    for name, one in then.get("properties", {}).items():
        if name in now.get("properties", {}):
            inner = (one, old[1]), (now["properties"][name], new[1])
            yield from _schema(f"{place}: {name}", *inner, sent=sent, depth=depth + 1)
        elif now.get("properties"):
            yield f"{place}: {name} is gone"
    if isinstance(then.get("items"), dict) and isinstance(now.get("items"), dict):
        yield from _schema(f"{place}[]", (then["items"], old[1]), (now["items"], new[1]), sent=sent, depth=depth + 1)


def _types(place: str, then: Json, now: Json, *, sent: bool) -> Iterator[str]:
    before, after = (_set(one.get("type")) for one in (then, now))
    narrower, wider = before - after, after - before
    if before and after and (narrower if sent else wider):
        yield f"{place} is {' or '.join(sorted(after))} now"
    lost = set(map(str, then.get("enum", ()))) - set(map(str, now.get("enum", ()))) if "enum" in now else set()
    if sent and (lost or ("enum" in now and "enum" not in then)):
        yield f"{place} does not take {', '.join(sorted(lost)) or 'everything'} any more"
    for name, tighter in _LIMITS.items():
        if sent and name in now and (name not in then or tighter(then[name], now[name]) != then[name]):
            yield f"{place}: {name} is {now[name]} now"


def _set(kind: Any) -> set[str]:
    return set(kind if isinstance(kind, list) else [kind] if kind else [])


def _needs(place: str, then: Json, now: Json, *, sent: bool) -> Iterator[str]:
    before, after = set(then.get("required", ())), set(now.get("required", ()))
    for name in sorted(after - before if sent else (before - after) & set(now.get("properties", {}))):
        yield f"{place}: {name} is {'needed now' if sent else 'not sure any more'}"


def last_tag(repository: Path = ROOT) -> str | None:
    """Return the last tag before this commit, None where there is none."""
    command = ["git", "-C", str(repository), "describe", "--tags", "--abbrev=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def documents_of(tag: str, repository: Path = ROOT) -> tuple[Json, str]:
    """Return OpenAPI and the GraphQL schema as the code of a tag makes them."""
    with tempfile.TemporaryDirectory(prefix="gateway-tag-") as folder:
        packed = subprocess.run(["git", "-C", str(repository), "archive", tag], capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        environment = {**os.environ, "PYTHONPATH": folder}
        command = [sys.executable, "-m", "app.cli.main", "openapi"]
        told = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
        return json.loads(told.stdout), (Path(folder) / SDL).read_text(encoding="utf-8")


def broken_since(tag: str, openapi: Mapping[str, Any], sdl: str) -> list[str]:
    """Return what these documents break of those of a tag."""
    then, schema = documents_of(tag)
    return [*broken_openapi(then, dict(openapi)), *broken_sdl(schema, sdl)]
