"""Plans: what is selected of a value, compiled into its check and its answer.

A plan takes a value only as it should be: every field there and of its exact type, no null where none may be. It
raises on anything else, and that says nothing: graphql-core completes the very same value then, and its errors are
told. What is read by key or attribute is checked by msgspec in one go; a field whose resolver takes the object
alone is resolved by it. A selection with any other field has no plan.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, cast

import msgspec
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)

from resolvers.renderings import Render, Shown
from schema.leaves import Unplanned, leaf
from schema.rows import Member, is_countable, rendered_row, row_type
from schema.types import key, read

if TYPE_CHECKING:
    from strawberry.types.field import StrawberryField

    FieldList: TypeAlias = list[Any]

Complete: TypeAlias = Callable[[Any], Any]
"""Turns a value into what the answer shows of it. Raises anything at all where the value is not as it should be."""
Show: TypeAlias = Callable[[Any, Any], Any]
"""Turns a checked value, and the value that was checked, into what the answer shows of it."""
Collect: TypeAlias = Callable[[GraphQLObjectType, "FieldList"], "dict[str, FieldList]"]
"""Returns what is selected of an object, merged, by the names in the answer."""

_TYPENAME: Final = "__typename"
_CUSTOMER: Final = "Customer"
_CONSTANT: Final = "typename_"
"""By what name a row has its type's name: it is read of no document, which has no such key."""


class Unfit(Exception):
    """A value is not as it should be."""


class Shape(NamedTuple):
    """How a value is checked (`kind`, for msgspec), and shown, where what was checked is not the answer itself."""

    kind: Any
    show: Show | None = None
    is_row: bool = False

    def complete(self, value: object) -> Any:
        """Return what the answer shows of a value."""
        checked = msgspec.convert(value, self.kind, from_attributes=True)
        return checked if self.show is None else self.show(checked, value)


class Part(NamedTuple):
    """What resolves and completes one field of an object."""

    show: Show
    is_leaf: bool


class Planner:
    """Compiles what is selected by one variant of an operation; `collect` finds it."""

    def __init__(self, collect: Collect, possible: Callable[[GraphQLInterfaceType], list[GraphQLObjectType]]) -> None:
        self._collect = collect
        self._possible = possible
        self.listed: list[Render | None] = []
        """For each list of a page what renders its items, where these are customers shown as rows."""

    def plan(self, kind: GraphQLOutputType, fields: FieldList) -> Complete:
        """Return the plan for values of a type. Raises Unplanned."""
        return self._shape(kind, fields).complete

    def _shape(self, kind: GraphQLOutputType, fields: FieldList) -> Shape:
        if isinstance(kind, GraphQLNonNull):
            return self._present(kind.of_type, fields)
        shape = self._present(kind, fields)
        return Shape(shape.kind | None, _unless_none(shape.show))

    def _present(self, kind: GraphQLOutputType, fields: FieldList) -> Shape:
        if isinstance(kind, GraphQLList):
            item = self._shape(kind.of_type, fields)
            return Shape(list[item.kind], _each(item.show))  # type: ignore[name-defined]
        if isinstance(kind, GraphQLInterfaceType):
            kind, *others = self._possible(kind)
            if others:
                raise Unplanned
        if isinstance(kind, GraphQLObjectType):
            return self._page(kind, fields) if _is_page(kind) else self._row(kind, fields)
        return Shape(leaf(kind))

    def _page(self, kind: GraphQLObjectType, fields: FieldList) -> Shape:
        """Plan an object whose lists are to stay lists, so that an answer can be weighed item by item."""
        parts = [(name, self._listed(kind, selected)) for name, selected in self._collect(kind, fields).items()]

        def view(_: object, source: object) -> dict[str, Any]:
            if source is None or isinstance(source, Exception):
                raise Unfit
            return {name: part(None, source) for name, part in parts}

        return Shape(object, view)

    def _listed(self, kind: GraphQLObjectType, selected: FieldList) -> Show:
        """Return what shows a field of a page; of a list also what it has made of its items before."""
        name = selected[0].node.name.value
        show = self._part(kind, selected).show
        inner = get_nullable_type(kind.fields[name].type) if name in kind.fields else None
        if not isinstance(inner, GraphQLList):
            return show
        item, resolve = self._shape(inner.of_type, selected), _resolver(kind.fields[name])
        if not item.is_row or str(get_named_type(inner)) != _CUSTOMER:
            self.listed.append(None)
            return show

        def render(value: Any) -> tuple[bytes, int]:
            return rendered_row(item.complete(value))

        def shown(_: object, source: object) -> Any:
            value = resolve(source)
            if not isinstance(value, Shown):
                return show(None, source)
            if value.render is not render:
                raise Unfit
            return value

        self.listed.append(render)
        return shown

    def _row(self, kind: GraphQLObjectType, fields: FieldList) -> Shape:
        sketch = RowSketch(kind.name)
        for name, selected in self._collect(kind, fields).items():
            asked = selected[0].node.name.value
            if asked == _TYPENAME:
                sketch.typename(name)
            elif (definition := _definition(kind.fields[asked])).is_basic_field:
                sketch.read(name, definition.python_name, self._shape(kind.fields[asked].type, selected))
            else:
                sketch.resolve(name, definition.python_name, self._part(kind, selected))
        return sketch.shape()

    def _part(self, kind: GraphQLObjectType, selected: FieldList) -> Part:
        """Return what resolves one field of an object and completes it."""
        name = selected[0].node.name.value
        if name == _TYPENAME:
            return Part(lambda _, _source: kind.name, is_leaf=True)
        field = kind.fields[name]
        resolve = _resolver(field)
        shape = self._shape(field.type, selected)
        return Part(lambda _, source: shape.complete(resolve(source)), is_leaf_type(get_named_type(field.type)))


class RowSketch:
    """The fields of a row, as they are found one after the other."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._members = {_CONSTANT: Member(_CONSTANT, _TYPENAME, Literal[kind], kind)}
        self._names: list[tuple[str, str]] = []
        self._parts: list[tuple[str, Show]] = []
        self._leaves = True

    def typename(self, shown_as: str) -> None:
        """Add the name of the type."""
        self._names.append((shown_as, _CONSTANT))

    def read(self, shown_as: str, name: str, shape: Shape) -> None:
        """Add a field that is read by key or attribute. Raises Unplanned for one part shown in different ways."""
        member = Member(name, key(name), shape.kind)
        if self._members.setdefault(name, member) != member:
            raise Unplanned
        self._names.append((shown_as, name))
        if shape.show is not None:
            self._parts.append((shown_as, _of_member(name, shape.show)))
            self._leaves = False

    def resolve(self, shown_as: str, name: str, part: Part) -> None:
        """Add a field that is resolved; what stands in its place until then is not shown."""
        self._members[name] = Member(name, key(name), object, "")
        self._names.append((shown_as, name))
        self._parts.append((shown_as, part.show))
        self._leaves = self._leaves and part.is_leaf

    def shape(self) -> Shape:
        """Return the shape: the row itself is the answer where it is just what is read, by its own names.

        Raises Unplanned where nothing is read or resolved: any value at all would do for such a row.
        """
        if all(name == _CONSTANT for _, name in self._names):
            raise Unplanned
        shown = [self._members[name] for _, name in self._names]
        if self._leaves and all(
            member.key == shown_as and is_countable(member.kind)
            for member, (shown_as, _) in zip(shown, self._names, strict=True)
        ):
            return Shape(row_type(self._kind, shown), self._filled(), is_row=True)
        return Shape(row_type(self._kind, self._members.values()), self._view())

    def _filled(self) -> Show | None:
        """Return what puts into a row what is resolved."""
        names = dict(self._names)
        parts = [(names[shown_as], show) for shown_as, show in self._parts]

        def fill(row: object, source: object) -> object:
            for name, show in parts:
                setattr(row, name, show(row, source))
            return row

        return fill if parts else None

    def _view(self) -> Show:
        names = [shown_as for shown_as, _ in self._names]
        pick = attrgetter(*(name for _, name in self._names), _CONSTANT)  # one more, as of a single one it is no tuple
        parts = self._parts

        def view(row: object, source: object) -> dict[str, Any]:
            shown = dict(zip(names, pick(row), strict=False))
            for name, part in parts:
                shown[name] = part(row, source)
            return shown

        return view


def _of_member(name: str, show: Show) -> Show:
    return lambda row, source: show(getattr(row, name), read(source, name))


def _unless_none(show: Show | None) -> Show | None:
    return show and (lambda checked, source: None if checked is None else show(checked, source))


def _each(show: Show | None) -> Show | None:
    return show and (lambda checked, source: [show(*pair) for pair in zip(checked, source, strict=True)])


def _is_page(kind: GraphQLObjectType) -> bool:
    """Tell whether an object has a list of objects that hold others."""
    return any(
        isinstance(get_nullable_type(field.type), GraphQLList) and _holds_objects(get_named_type(field.type))
        for field in kind.fields.values()
    )


def _holds_objects(kind: object) -> bool:
    return isinstance(kind, GraphQLObjectType) and any(
        isinstance(get_named_type(field.type), GraphQLObjectType) for field in kind.fields.values()
    )


def _definition(field: GraphQLField) -> StrawberryField:
    """Return how Strawberry has a field. Raises Unplanned for those of introspection."""
    found: StrawberryField | None = field.extensions.get("strawberry-definition")
    if found is None or found.extensions:
        raise Unplanned
    return found


def _resolver(field: GraphQLField) -> Callable[[Any], Any]:
    """Return what gives a field of an object, and takes nothing but the object. Raises Unplanned."""
    definition = _definition(field)
    resolver = definition.base_resolver
    if resolver is None:
        name = definition.python_name
        return lambda source: read(source, name)
    if field.args or definition.is_async or resolver.info_parameter:
        raise Unplanned
    return cast("Callable[[Any], Any]", resolver.wrapped_func)
