"""From what a client sent to clean fields, or to one problem that tells all faults at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from resolvers.problem import Fault, JsonValue, Path, Problem
from resolvers.problems import VALIDATION_ERROR, WRONG_TOP_LEVEL
from storage.model import Input
from storage.plain import plain_fields

Locate = Callable[[Path], Path]
"""From a place in the validated document to the nearest place in what was sent."""

MOST_FAULTS: Final = 1000
"""How many faults of a body are told: more than a customer with as many parts as one may have can have."""
_NAMED = 10
_LONGEST_NAME = 100
"""How many faults, and how many characters of their names, `detail` names."""

_KINDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "is required",
    "string_type": lambda _: "must be a string",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be an array",
    "model_type": lambda _: "must be an object",
    "extra_forbidden": lambda _: "is not a property of this document",
    "value_error": lambda context: str(context["error"]),
    "literal_error": lambda context: "must be one of " + context["expected"].replace("'", "").replace(" or ", ", "),
    "string_pattern_mismatch": lambda context: f"must match the pattern {context['pattern']}",
    "too_short": lambda context: f"must have at least {_items(context['min_length'])}",
    "too_long": lambda context: f"must have at most {_items(context['max_length'])}",
}


def check(
    model: type[Input],
    value: JsonValue,
    *,
    strict: bool,
    us_address_rules: bool,
    locate: Locate | None = None,
) -> dict[str, Any]:
    """Return the clean fields of an input, as they are stored.

    Raises:
        Problem: validation-error with every fault; under `strict` unknown properties are faults too.
    """
    if not isinstance(value, dict):
        raise Problem(WRONG_TOP_LEVEL, "The body must be a JSON object.")
    plain = None if us_address_rules else plain_fields(model, value, strict=strict)
    if plain is not None:
        return plain
    try:
        return model.model_validate(
            value, extra="forbid" if strict else "ignore", context={"us_address_rules": us_address_rules}
        ).fields()
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False, include_input=False), locate or nearest(value))
        raise refused(faults) from error


def check_read_only(
    names: Iterable[str], before: Mapping[str, object], after: Mapping[str, object], locate: Locate
) -> None:
    """Raise validation-error where what was sent would change, or take away, what the server makes."""
    faults = [
        Fault((name,), "is made by the server and cannot be changed", locate((name,)))
        for name in names
        if after.get(name) != before[name] and (name in after or locate((name,)))
    ]
    if faults:
        raise refused(faults)


def refused(faults: Iterable[Fault]) -> Problem:
    """Return the one problem for all faults of a body; `detail` counts them, the first `MOST_FAULTS` are told."""
    listed = tuple(faults)
    count = "One field is" if len(listed) == 1 else f"{len(listed)} fields are"
    named = ", ".join(fault.field[:_LONGEST_NAME] or "the body" for fault in listed[:_NAMED])
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return Problem(VALIDATION_ERROR, f"{count} not valid: {named}{more}.", listed[:MOST_FAULTS])


def faults_of(errors: Iterable[ErrorDetails], locate: Locate) -> list[Fault]:
    """Translate the model's errors into faults in our own words."""
    return [Fault(path, message, locate(path)) for error in errors for path, message in _expanded(error)]


def _expanded(error: ErrorDetails) -> list[tuple[Path, str]]:
    path: Path = tuple(error["loc"])
    context = error.get("ctx", {})
    if error["type"] == "us_address":
        return [((*path, field), message) for field, message in context["faults"].items()]
    return [(path, _message(error["type"], context, error["msg"]))]


def _message(kind: str, context: dict[str, Any], text: str) -> str:
    wording = _KINDS.get(kind)
    return wording(context) if wording else text


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count} items"


def nearest(sent: JsonValue) -> Locate:
    """Return a `Locate` for a body in which the document's places are its own."""

    def locate(path: Path) -> Path:
        here = sent
        for depth, step in enumerate(path):
            if isinstance(here, dict) and isinstance(step, str) and step in here:
                here = here[step]
            elif isinstance(here, list) and isinstance(step, int) and step < len(here):
                here = here[step]
            else:
                return path[:depth]
        return path

    return locate
