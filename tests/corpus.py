"""A corpus of questions: many that were generated, one of every kind, and values that mean harm."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import questions
from tests.crowd import LIST, SEARCH, Crowd

EVIL = (
    '{"$gt":""}', "$where", "a.b", ".*", "^(a+)+$", "$ne", "\\Q.*\\E", "[[:alpha:]]", "(?i)x", "(?#", "x{1,9999}",
    "(*VERB)", "a\\", "'; return true; //", "$$ROOT", "__proto__", "\x01\x1b", "\u2028", "🦊🦊🦊", "e\u0301e\u0301",
    "x" * 256, "ß" * 256, "%00", "' or 1 eq 1 or '", "null", "NaN", "sleep(1000)", "keys.terms", "ln:", "w:x",
    "\uffff\uffff\uffff", "\U0010ffff" * 3, "#\n# x", "a b-c&d~e",
)  # fmt: skip
REDOS = (
    "(a+)+" * 40 + "$",
    "a" * 255 + "!",
    "(.*a){20}",
    "([a-z]+)*" * 28,
    "\\" * 256,
    "((((((((((a*)*)*)*)*)*)*)*)*)*)b",
)


QUERY = """query Q($filter: CustomerFilter, $search: String, $orderBy: [CustomerOrder!], $first: Int, $after: String,
                    $last: Int, $before: String) {
  customers(first: $first, after: $after, last: $last, before: $before,
            filter: $filter, search: $search, orderBy: $orderBy) {
    totalCount nodes { id } pageInfo { startCursor endCursor } } }"""
ORDERS = ("id", "firstName", "middleName", "lastName", "email", "createdAt", "updatedAt")
_TERMS = st.lists(st.tuples(st.sampled_from(ORDERS), st.booleans()), max_size=3, unique_by=lambda term: term[0])
_INSTANTS = tuple(f"2026-03-01T12:00:{second:02}.{second % 2}00Z" for second in range(0, 60, 5))


def _generated() -> list[tuple[questions.Condition, list[tuple[str, bool]]]]:
    found: list[tuple[questions.Condition, list[tuple[str, bool]]]] = []

    @settings(
        max_examples=80, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(condition=questions.conditions(_INSTANTS), terms=_TERMS)
    def collect(condition: questions.Condition, terms: list[tuple[str, bool]]) -> None:
        found.append((condition, terms))

    collect()
    return found


def _both(crowd: Crowd, condition: questions.Condition, terms: list[tuple[str, bool]]) -> None:
    """Ask one question at both doors, and go on by cursor in both directions."""
    sorts = [f"{name},{'desc' if down else 'asc'}" for name, down in terms]
    body: dict[str, Any] = {"filter": questions.odata(condition), "sort": sorts, "size": 3}
    crowd.search(**body)
    answer = crowd.search(**body, cursor="")
    assert answer.status_code == 200, answer.text
    if "next-cursor" in answer.headers:
        crowd.search(**body, cursor=answer.headers["next-cursor"])
        crowd.search(**body, cursor="~" + answer.headers["next-cursor"])
    order = [{"field": _enum(name), "direction": "DESC" if down else "ASC"} for name, down in terms]
    crowd.gateway.data(QUERY, filter=questions.graphql(condition), orderBy=order, first=3)


def _enum(name: str) -> str:
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)


def quoted(value: str) -> str:
    """Return a value as a literal of a filter."""
    return "'" + value.replace("'", "''") + "'"


PARAMETERS = (
    "name", "firstName", "last_name", "email", "city", "state", "postalCode", "country", "phone", "id", "addressType",
    "createdAfter", "notify", "q", "sort", "sort_by", "fields", "cursor",
)  # fmt: skip
FILTERS = (
    "firstName eq {}", "firstName ne {}", "lastName in ({}, 'x')", "email gt {}", "startswith(firstName,{})",
    "contains(lastName,{})", "addresses/any(a: a/city eq {} and contains(a/street1,{}))", "phone eq {}",
    "addresses/any(a: startswith(a/city,{}) or not a/state lt {})", "contains(phone,{})", "createdAt gt {}",
)  # fmt: skip


def _evil(crowd: Crowd, number: int, value: str) -> None:
    """Put a value wherever a client can put one, at both doors; a refusal is an answer too."""
    gateway = crowd.gateway
    for name in (*PARAMETERS[number % 3 :: 3], value):
        _sane(gateway.http.get(LIST, params={name: value}))
    for name in ("filter", "q", "sort", "fields", "cursor", "count", value):
        _sane(gateway.http.post(SEARCH, json={name: value}))
    texts = [text.replace("{}", quoted(value)) for text in FILTERS]
    texts += [text.replace("{}", value) for text in FILTERS[number % 3 :: 3]]
    for text in (*texts, f"{value} eq 'x'"):
        _sane(gateway.http.post(SEARCH, json={"filter": text}))
    for operator in ("eq", "ne", "gt", "startsWith", "contains"):
        element = {"street1": {operator: value}, "city": {"in": [value]}}
        gateway.graphql(QUERY, filter={"firstName": {operator: value}, "addresses": {"some": element}})
    gateway.graphql(QUERY, filter={value: {"eq": "x"}})
    gateway.graphql(QUERY, search=value)
    gateway.graphql(QUERY, after=value)


def _sane(response: Any) -> None:
    assert response.status_code in {200, 400, 414}, (response.request.url, response.text)


SIMPLE = (
    ("name", "x"), ("firstName", "name001"), ("email", "a@b.c"), ("city", "berlin"), ("state", "CA"), ("q", "name"),
    ("phone", "5550107"), ("postalCode", "1"), ("country", "DE"), ("addressType", "work"), ("phoneType", "home"),
    ("notify", "sms,mail"), ("createdAfter", "2026-03-01"), ("createdBefore", "2026-03-02"), ("q", "!"),
    ("updatedAfter", "2026-03-01"), ("updatedBefore", "2026-03-02"), ("id", "0d047d80-eb69-4665-9395-6df5a5e569a4"),
    ("q", "name001 555-0101"), ("count", "none"), ("count", "exact"), ("fields", "addresses.city,email"),
    ("explain", "true"), ("filter", "createdAt in (2026-03-01, 2026-03-02)"),
    ("filter", "updatedAt in (2026-03-01, 2026-03-02) or id in ('0d047d80-eb69-4665-9395-6df5a5e569a4')"),
    ("filter", "contains(phone,'555')"), ("filter", "middleName in (null,'x') or addresses/street2 in (null,'x')"),
    ("filter", "firstName ge 'a' and lastName le 'b' and (email gt 'a' or email lt 'z')"),
    ("filter", "startswith(firstName,'') or phone in ('1','2')"),
    ("filter", "addresses/any(a: a/type in ('home','work') and startswith(a/city,'') or contains(a/city,'ber'))"),
    ("filter", "phoneNumbers/any(p: p/number ge '1' and p/number le '2' and p/number lt '3' and p/number gt '1')"),
    ("filter", "addresses/any(a: a/city eq 'x' and not a/state eq 'y' and a/street2 eq null)"),
    ("filter", "phoneNumbers/any(p: p/number eq '1' and not p/extension eq '1' or p/extension in (null,'2'))"),
    ("filter", "phoneNumbers/any(p: p/extension in (null,'1') or p/number in ('1') or contains(p/number,'123'))"),
    ("filter", "phoneNumbers/any(p: p/extension eq null and startswith(p/number,'1') or startswith(p/number,''))"),
)  # fmt: skip


def _simple(crowd: Crowd) -> None:
    for name, value in SIMPLE:
        assert crowd.get(**{name: value}).status_code == 200
    for order in (*ORDERS, *(f"{name},updatedAt" for name in ORDERS[1:-1]), "updatedAt,lastName"):
        walk = {"sort_by": order, "size": 3}
        cursor = crowd.get(**walk, cursor="").headers["next-cursor"]
        assert crowd.get(**walk, cursor=cursor).status_code == crowd.get(**walk, cursor=f"~{cursor}").status_code == 200


def ask_everything(crowd: Crowd) -> None:
    """Ask all of it at both doors: generated questions, every parameter, and evil values everywhere."""
    for condition, terms in _generated():
        _both(crowd, condition, terms)
    _simple(crowd)
    for number, value in enumerate(EVIL):
        _evil(crowd, number, value)
