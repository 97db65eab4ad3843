"""The corpus of attacks on GraphQL, and the heaviest questions that are taken.

Each attack is a request, what must come of it, and why it hurts a server without limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graphql import get_introspection_query

from tests.attack_values import RECURSION, SUGGEST, VALUES
from tests.heavy import ACCEPTED, HEAVY, Attack, ask, id_of, repeated

_VIEWER: Final = "{ viewer { name } }"
_DOUBLE: Final = "with each fragment the work doubles"
_PAIRS: Final = "validation compares fields of one name pair by pair"
_INTROSPECTION: Final = "types lead to fields and fields to types, and each step multiplies"


def doubled(times: int, leaf: str = "name", on: str = "Viewer", root: str = "viewer") -> str:
    """Return a document in which a fragment is spread 2 to the power of `times` times."""
    chain = repeated(times, lambda n: f"fragment f{n} on {on} {{ ...f{n + 1} ...f{n + 1} }}")
    return f"{{ {root} {{ ...f0 }} }} {chain} fragment f{times} on {on} {{ {leaf} }}"


def _spreads(count: int, body: str, on: str, root: str) -> str:
    """Return a document that spreads so many fragments, all of one body, in one place."""
    fragments = repeated(count, lambda n: f"fragment f{n} on {on} {{ {body} }}")
    return f"{{ {root} {{ {repeated(count, lambda n: f'...f{n}')} }} }} {fragments}"


def _later(count: int, first: int = 1) -> str:
    """Return a document in which each fragment spreads those after it; with `first` 0 all of them."""

    def spread(number: int) -> str:
        return " ".join(f"...f{other}" for other in range(number + 1 if first else 0, count))

    fragments = repeated(count, lambda n: f"fragment f{n} on Viewer {{ name {spread(n)} }}")
    return f"{{ viewer {{ ...f0 }} }} {fragments}"


def _chain(count: int, *, closed: bool = False) -> str:
    end = "...f0" if closed else "name"
    links = repeated(count, lambda n: f"fragment f{n} on Viewer {{ {f'...f{n + 1}' if n + 1 < count else end} }}")
    return f"{{ viewer {{ ...f0 }} }} {links}"


def _fragments() -> Iterator[Attack]:
    stock = doubled(20, leaf="name id scopes")
    yield ask("fragments of a kilobyte", "graphql-limit", "stock limiters expand them for 8 seconds", stock)
    yield ask("doubled 30 times", "graphql-limit", _DOUBLE, doubled(30))
    yield ask("doubled 60 times", "graphql-limit", _DOUBLE, doubled(60))
    yield ask("doubled 9 times", ACCEPTED, _DOUBLE, doubled(9))
    yield ask("doubled into a cycle", "graphql-validation", _DOUBLE, doubled(30, leaf="...f0"))
    yield ask("doubled into nothing", "graphql-validation", _DOUBLE, doubled(30, leaf="...missing"))
    for leaf, comes in (("...f0", "validation"), ("...missing", "validation"), ("types { name }", "limit")):
        query = doubled(30, leaf=leaf, on="__Schema", root="__schema")
        yield ask(f"introspection doubled into {leaf}", f"graphql-{comes}", _DOUBLE, query)
    yield ask("every fragment spreads all later ones", "graphql-limit", _DOUBLE, _later(26))
    yield ask("every fragment spreads every one", "graphql-limit", _DOUBLE, _later(20, first=0))
    yield ask("a cycle of one", "graphql-validation", "who follows it never ends", _chain(1, closed=True))
    yield ask("a cycle of 50", "graphql-validation", "who follows it never ends", _chain(50, closed=True))
    yield ask("a chain of 60", ACCEPTED, RECURSION, _chain(60))
    yield ask("a chain of 100", "graphql-limit", RECURSION, _chain(100))
    yield ask("105 fragments of one field", ACCEPTED, _PAIRS, _spreads(105, "name", "Viewer", "viewer"))
    customer = f'customer(id: "{id_of("dense", 0)}")'
    yield ask("80 fragments of one list", ACCEPTED, _PAIRS, _spreads(80, "addresses { id }", "Customer", customer))
    yield ask(
        "140 fragments without use",
        "graphql-validation",
        "each is a fault to tell",
        _VIEWER + repeated(140, lambda n: f"fragment f{n} on Viewer {{ name }}"),
    )
    hidden = "query A { viewer { name } } query B { ...q } fragment q on Query "
    pages = repeated(
        3, lambda n: f"a{n}: customers(first: 100) {{ nodes {{ addresses {{ id }} phoneNumbers {{ id }} }} }}"
    )
    yield ask(
        "roots that another operation hides",
        "graphql-cost",
        "a memo may forget what stands at the top",
        f"{hidden}{{ {pages} }}",
        operation="B",
    )
    roots = doubled(5, leaf="viewer { name }", on="Query", root="").replace("{  { ...f0 } }", "{ ...f0 }")
    yield ask("32 root fields by fragments", "graphql-root-fields", _DOUBLE, roots)


def _shape() -> Iterator[Attack]:
    deep, wide = "{ a " * 11 + "}" * 11, "{ a " * 5000 + "}" * 5000
    yield ask("11 levels", "graphql-depth", "each level may multiply", deep)
    yield ask("100 levels", "graphql-limit", RECURSION, "{ a " * 100 + "}" * 100)
    yield ask("5000 levels", "graphql-document-size", RECURSION, wide)
    yield ask(
        "60 inline fragments in each other",
        ACCEPTED,
        RECURSION,
        f"{{ viewer {{ {'... { ' * 60} name {'} ' * 60} }} }}",
    )
    yield ask("lists of lists of a type", "graphql-limit", RECURSION, f"query($a: {'[' * 480}Int{']' * 480}) {_VIEWER}")
    yield ask(
        "lists of lists of a value",
        "graphql-limit",
        RECURSION,
        f"{{ customers(first: {'[' * 480}{']' * 480}) {{ nodes {{ id }} }} }}",
    )
    yield ask(
        "60 lists in each other",
        "graphql-validation",
        RECURSION,
        f"{{ customers(first: {'[' * 60}{']' * 60}) {{ nodes {{ id }} }} }}",
    )
    yield ask("one field 990 times", "graphql-limit", _PAIRS, f"{{ viewer {{ {'name ' * 990} }} }}")
    yield ask(
        "one list 51 times",
        ACCEPTED,
        _PAIRS,
        f'{{ customer(id: "{id_of("dense", 0)}") {{ {"addresses { id city } " * 17} }} }}',
    )
    yield ask(
        "200 inline fragments of one field", "graphql-limit", _PAIRS, f"{{ viewer {{ {'... { name } ' * 200} }} }}"
    )
    conflict = "x: addresses { a: id b: city c: state } x: phoneNumbers { a: number b: extension c: id } "
    yield ask(
        "fields that cannot be merged",
        "graphql-validation",
        "a conflict is told with all below it",
        f"{{ customer(id: 1) {{ {conflict} }} }}",
    )
    yield ask(
        "15 aliases", ACCEPTED, "one field many times", f"{{ viewer {{ {repeated(15, lambda n: f'a{n}: name')} }} }}"
    )
    yield ask(
        "16 aliases",
        "graphql-aliases",
        "one field many times",
        f"{{ viewer {{ {repeated(16, lambda n: f'a{n}: name')} }} }}",
    )
    yield ask("16 aliases by fragments", "graphql-aliases", "one alias many times", doubled(4, leaf="a: name"))
    yield ask("20 root fields", ACCEPTED, "many questions in one", f"{{ {'viewer { name } ' * 20} }}")
    yield ask("21 root fields", "graphql-root-fields", "many questions in one", f"{{ {'viewer { name } ' * 21} }}")
    yield ask("1,001 tokens", "graphql-tokens", "time to parse", f"{{ nodes(ids: [{'1 ' * 989}]) {{ id }} }}")
    yield ask("16 KiB of commas", ACCEPTED, "time to read", _VIEWER + "," * 16_000)
    yield ask("16 KiB of comments", ACCEPTED, "time to read", _VIEWER + "#{\n" * 5000)
    yield ask("20 KiB of blanks", "graphql-document-size", "time to read", _VIEWER + " " * 20_000)
    yield Attack("a batch", "graphql-request", "many requests in one", [{"query": _VIEWER}] * 10)


def _directives() -> Iterator[Attack]:
    why = "each directive is looked at by several rules"
    yield ask("51 directives", "graphql-directives", why, f"{{ viewer {{ name {'@skip(if: false) ' * 51} }} }}")
    yield ask("400 unknown directives", "graphql-directives", why, f"{{ viewer {{ name {'@x ' * 400} }} }}")
    yield ask("50 of one", "graphql-validation", why, f"{{ viewer {{ name {'@skip(if: false) ' * 50} }} }}")
    yield ask("64 directives by fragments", "graphql-directives", why, doubled(6, leaf="name @skip(if: false)"))
    fields = "name @include(if: $on) " * 50
    yield ask("50 with a variable", ACCEPTED, why, f"query($on: Boolean!) {{ viewer {{ {fields} }} }}", on=True)


def _names() -> Iterator[Attack]:
    kind = "graphql-validation"
    yield ask(
        "900 unknown fields", kind, SUGGEST, f"{{ customer(id: 1) {{ {repeated(900, lambda n: f'firstNam{n}')} }} }}"
    )
    yield ask("900 unknown roots", "graphql-root-fields", SUGGEST, f"{{ {repeated(900, lambda n: f'custome{n}')} }}")
    yield ask(
        "300 unknown arguments",
        kind,
        SUGGEST,
        f"{{ customers({repeated(300, lambda n: f'firs{n}: 1')}) {{ totalCount }} }}",
    )
    yield ask(
        "300 unknown input fields",
        kind,
        SUGGEST,
        f"{{ customers(filter: {{{repeated(300, lambda n: f'lastNam{n}: 1')}}}) {{ totalCount }} }}",
    )
    yield ask(
        "200 unknown types", kind, SUGGEST, f"query({repeated(200, lambda n: f'$v{n}: CustomerFilte{n}')}) {_VIEWER}"
    )
    yield ask("a name of 15 kB", kind, SUGGEST, f"{{ customer(id: 1) {{ {'firstName' * 1600} }} }}")
    yield ask(
        "240 variables without use",
        kind,
        "each is a fault to tell",
        f"query({repeated(240, lambda n: f'$v{n}: Int')}) {_VIEWER}",
    )
    yield ask(
        "120 operations",
        ACCEPTED,
        "each is validated",
        repeated(120, lambda n: f"query q{n} {_VIEWER}"),
        operation="q7",
    )
    yield ask("120 operations of one name", kind, "each is a fault to tell", f"query q {_VIEWER} " * 120)
    yield ask(
        "60 operations over a chain",
        ACCEPTED,
        "each operation walks all fragments",
        repeated(60, lambda n: f"query q{n} {{ viewer {{ ...f0 }} }}") + "query last" + _chain(40),
        operation="q7",
    )
    yield ask(
        "a schema in the document", kind, "definitions are parsed too", f"type A {{ {'a: Int ' * 300} }} {_VIEWER}"
    )


def _introspection() -> Iterator[Attack]:
    whole = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )
    head, _, tail = whole.partition("fragment FullType")
    inner = head[head.index("__schema") :].rstrip().removesuffix("}")
    types = f"fragment FullType{tail}"

    def several(count: int) -> str:
        return f"{{ {repeated(count, lambda n: f'a{n}: {inner}')} }} {types}"

    yield ask("the whole introspection", ACCEPTED, "100 kB by a public document", whole)
    yield ask("2 whole introspections", ACCEPTED, _INTROSPECTION, several(2))
    yield ask("4 whole introspections", "graphql-cost", _INTROSPECTION, several(4))
    yield ask("15 whole introspections", "graphql-limit", _INTROSPECTION, several(15))
    leaf = "name description args { name type { name kind ofType { name kind } } } type { name ofType { name } }"
    fields = repeated(14, lambda n: f"f{n}: fields {{ {leaf} }}")
    yield ask(
        "fields of fields by 14 aliases",
        "graphql-cost",
        _INTROSPECTION,
        f"{{ __schema {{ types {{ fields {{ type {{ ofType {{ {fields} }} }} }} }} }} }}",
    )
    inputs = repeated(14, lambda n: f"f{n}: inputFields {{ name type {{ name ofType {{ name description }} }} }}")
    yield ask(
        "inputs of inputs by 14 aliases",
        "graphql-cost",
        _INTROSPECTION,
        f"{{ __schema {{ types {{ inputFields {{ type {{ {inputs} }} }} }} }} }}",
    )
    yield ask(
        "three lists in each other",
        "graphql-validation",
        _INTROSPECTION,
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
    )
    yield ask(
        "30 types of types",
        ACCEPTED,
        RECURSION,
        f"{{ __schema {{ types {{ name {'ofType { name ' * 30}{'} ' * 30} }} }} }}",
    )
    yield ask(
        "types one by one by 15 aliases",
        ACCEPTED,
        _INTROSPECTION,
        f"""{{ {repeated(15, lambda n: f'a{n}: __type(name: "Customer") {{ fields {{ name }} }}')} }}""",
    )
    yield ask(
        "wrapped types asked for what only named ones have",
        ACCEPTED,
        "each was an internal error",
        "{ __schema { types { fields { type { name isOneOf specifiedByURL ofType { isOneOf } } } } } }",
    )


ATTACKS: Final = (
    *_fragments(),
    *_shape(),
    *_directives(),
    *_names(),
    *_introspection(),
    *VALUES,
    *HEAVY,
)
"""The whole corpus; names are unique."""
