"""Questions as tests write them: one neutral form, rendered for each door and for the plain evaluation."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from storage.query import CUSTOMER_FIELDS, PART_FIELDS, And, Compare, Filter, ListName, Not, Or, Some

Condition = tuple[Any, ...]
"""("is", path, operator, value), ("some", list, condition), ("and" | "or", [conditions]), ("not", condition)."""

NAMES = (
    "Müller", "mueller", "MÜLLER", "Muller", "Ólafur", "olafur", "Weiß", "weiss", "WEISS", "Łoś", "Los", "O'Brien",
    "Li", "LI", "王", "王芳", "Ng", "D'Aubigné", "佐藤", "Παπαδόπουλος", "παπαδόπουλος", "İpek", "ipek", "a.*b", "$ne",
    "Ann-Marie", "van der Berg", "🦊 Fox", "Zoë", "Zoe", "100%", "x\\y", "{}",
)  # fmt: skip
CITIES = ("Berlin", "BERLIN", "São Paulo", "Sao Paulo", "München", "Köln", "東京", "Saint-Denis", "")
COUNTRIES = ("DE", "de", "BR", "JP", "FR")
NUMBERS = ("202-875-4343", "2028754343", "030 1234567", "1", "-", "12 34")
CODES = ("+1", "1", "+49", "0049")

TEXT_OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "startsWith", "in")


def _text(paths: tuple[str, ...], values: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    plain = st.tuples(
        st.just("is"), st.sampled_from(paths), st.sampled_from(TEXT_OPERATORS[:-1]), st.sampled_from(values)
    )
    many = st.lists(st.sampled_from(values), min_size=1, max_size=3)
    several = st.tuples(st.just("is"), st.sampled_from(paths), st.just("in"), many)
    long_enough = tuple(value[:4] for value in values if len(value) >= 4)
    inside = st.tuples(st.just("is"), st.sampled_from(paths), st.just("contains"), st.sampled_from(long_enough))
    return st.one_of(plain, several, inside)


def _choice(path: str, values: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    return st.tuples(st.just("is"), st.just(path), st.sampled_from(("eq", "ne")), st.sampled_from(values))


def _null(path: str) -> st.SearchStrategy[Condition]:
    return st.tuples(st.just("is"), st.just(path), st.sampled_from(("eq", "ne")), st.none())


_ADDRESS = st.one_of(
    _text(("city", "street1"), CITIES),
    _text(("country", "state"), (*COUNTRIES, "Brasil")),
    _choice("type", ("home", "work", "billing")),
    _null("street2"),
)
_PHONE = st.one_of(
    _text(("number",), NUMBERS),
    _text(("countryCode",), (*CODES, "+358")),
    _choice("type", ("mobile", "other")),
    _null("extension"),
)


def _combined(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.sampled_from(("and", "or")), st.lists(inner, min_size=1, max_size=3)),
            st.tuples(st.just("not"), inner),
        ),
        max_leaves=4,
    )


def conditions(instants: tuple[str, ...]) -> st.SearchStrategy[Condition]:
    """Return every kind of condition, nested; instants are compared with some that really stand."""
    flag = st.sampled_from(("email", "sms", "push", "mail")).map(lambda name: f"notificationPreferences.{name}")
    leaves = st.one_of(
        _text(("firstName", "middleName", "lastName"), NAMES),
        _null("middleName"),
        st.tuples(st.just("is"), flag, st.sampled_from(("eq", "ne")), st.booleans()),
        st.tuples(
            st.just("is"),
            st.sampled_from(("createdAt", "updatedAt")),
            st.sampled_from(("eq", "ne", "gt", "ge", "lt", "le")),
            st.sampled_from(instants),
        ),
        st.tuples(
            st.just("is"),
            st.just("phone"),
            st.sampled_from(("eq", "ne", "startsWith")),
            st.sampled_from(("2028754343", "12028754343", "49", "1")),
        ),
        st.tuples(st.just("some"), st.just("addresses"), _combined(_ADDRESS)),
        st.tuples(st.just("some"), st.just("phoneNumbers"), _combined(_PHONE)),
    )
    return _combined(leaves)


def tree(condition: Condition, list_name: ListName | None = None) -> Filter:
    """Return the filter tree that a condition means, built by hand."""
    kind, *rest = condition
    if kind == "not":
        return Not(tree(rest[0], list_name))
    if kind in {"and", "or"}:
        terms = tuple(tree(part, list_name) for part in rest[0])
        return And(terms) if kind == "and" else Or(terms)
    if kind == "some":
        return Some(rest[0], tree(rest[1], rest[0]))
    path, operator, value = rest
    field = (PART_FIELDS[list_name] if list_name else CUSTOMER_FIELDS)[path]
    if operator == "ne":
        return Not(Compare(field, "eq", value))
    return Compare(field, operator, tuple(value) if isinstance(value, list) else value)


def odata(condition: Condition, variable: str = "") -> str:
    """Return a condition as REST's `filter` takes it."""
    kind, *rest = condition
    if kind == "not":
        return f"not ({odata(rest[0], variable)})"
    if kind in {"and", "or"}:
        return "(" + f" {kind} ".join(odata(part, variable) for part in rest[0]) + ")"
    if kind == "some":
        return f"{rest[0]}/any(x: {odata(rest[1], 'x/')})"
    path, operator, value = rest
    name = variable + path.replace(".", "/")
    if operator in {"startsWith", "contains"}:
        return f"{operator.lower()}({name},{_literal(value)})"
    if operator == "in":
        return f"{name} in ({', '.join(map(_literal, value))})"
    return f"{name} {operator} {_literal(value)}"


def _literal(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = str(value)
    return text if text[:3].isdigit() and "T" in text else "'" + text.replace("'", "''") + "'"


def graphql(condition: Condition) -> dict[str, Any]:
    """Return a condition as GraphQL's CustomerFilter takes it."""
    kind, *rest = condition
    if kind == "not":
        return {"not": graphql(rest[0])}
    if kind in {"and", "or"}:
        return {kind: [graphql(part) for part in rest[0]]}
    if kind == "some":
        return {rest[0]: {"some": graphql(rest[1])}}
    path, operator, value = rest
    asked: Any = {operator: value.upper() if path == "type" else value}
    for name in reversed(path.split(".")):
        asked = {name: asked}
    return dict(asked)
