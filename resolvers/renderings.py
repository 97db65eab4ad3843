"""What lists show of customers, made once for as long as each customer stays as it is.

A list asks the store which customers are on its page, and at which version. Of those that were shown lately at just
that version nothing more is read: a version never names two states of a customer. The store is asked every time, so
nothing that is shown is older than the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, NamedTuple
from weakref import WeakSet

from resolvers.pages import PageReads
from storage.documents import Customer
from storage.query import Question, by_ids
from storage.store import Store

TURN_SECONDS: Final = 30.0
"""How often those made before the last turn are let go: none is kept for longer than twice that."""
_STUB: Final = frozenset({"id"})
_AROUND: Final = 350
"""Bytes that a rendering takes beside its own."""
_WORTH: Final = 0.5
"""From which share of renderings at hand on it is cheaper to ask for the versions first."""
_BEFORE: Final = 0.8
"""How much of that share comes from the pages before."""


class Rendering(NamedTuple):
    """A customer at a version as JSON, and how many objects are below it there; `turn` is when it was made."""

    version: int
    json: bytes
    below: int
    turn: int


Render = Callable[[Customer], tuple[bytes, int]]
"""Gives the JSON of a customer and how many objects are below it."""


class Shown(list[Rendering]):
    """What is shown of the customers of a page, all in the form that `render` gives."""

    __slots__ = ("render",)

    def __init__(self, items: Iterable[Rendering], render: Render) -> None:
        super().__init__(items)
        self.render = render

    def json(self) -> bytes:
        """Return them as the items of a JSON array, without its brackets."""
        return b",".join([one.json for one in self])


class ReadPage(NamedTuple):
    """The customers of a page, with id, version and what places them in its order, and what is shown of each."""

    customers: list[Customer]
    shown: Shown | None = None

    def part(self, wanted: slice) -> ReadPage:
        """Return a part of the page."""
        shown = self.shown
        return ReadPage(self.customers[wanted], None if shown is None else Shown(shown[wanted], shown.render))


@dataclass(slots=True)
class RenderMemory:
    """The renderings of every form, which take up to `most` bytes together; belongs to one event loop."""

    most: int
    hits: int = field(default=0, init=False)
    misses: int = field(default=0, init=False)
    _forms: WeakSet[Renderings] = field(default_factory=WeakSet, init=False)
    _bytes: int = field(default=0, init=False)
    _turn: int = field(default=0, init=False)

    def form(self, fields: frozenset[str] | None, render: Render) -> Renderings:
        """Return new renderings, kept as long as somebody has them; see `Renderings`."""
        made = Renderings(self, fields, render)
        self._forms.add(made)
        return made

    @property
    def entries(self) -> int:
        """How many renderings are kept."""
        return sum(len(form.kept) for form in self._forms)

    def turn(self) -> None:
        """Let go of what was made before the last turn; to be called every `TURN_SECONDS`."""
        for form in self._forms:
            form.kept = {name: one for name, one in form.kept.items() if one.turn == self._turn}
        self._turn += 1
        self._count()

    def made(self, version: int, json: bytes, below: int) -> Rendering:
        """Return a rendering that is made now, of no more bytes than it has.

        What an encoder gives is the beginning of a buffer of a power of two bytes: kept as it is, its end lies idle
        in the heap, where no other buffer fits in.
        """
        return Rendering(version, bytes(memoryview(json)), below, self._turn)

    def room(self, new: Rendering, old: Rendering | None) -> bool:
        """Make room for a rendering in the place of another; half of all others go where there is none, the oldest.

        Tells whether there is room.
        """
        size = len(new.json) + _AROUND
        self._bytes += size - (len(old.json) + _AROUND if old is not None else 0)
        if self._bytes > self.most:
            for form in self._forms:
                form.kept = dict(islice(form.kept.items(), len(form.kept) // 2 + 1, None))
            self._count(size)
        if self._bytes > self.most:
            self._bytes -= size
            return False
        return True

    def _count(self, more: int = 0) -> None:
        self._bytes = more + sum(len(one.json) + _AROUND for form in self._forms for one in form.kept.values())


@dataclass(slots=True, eq=False, weakref_slot=True)
class Renderings:
    """Renderings of one form; `render` makes them of nothing but the document's `fields` (None: all) and version."""

    memory: RenderMemory
    fields: frozenset[str] | None
    render: Render
    kept: dict[str, Rendering] = field(default_factory=dict, init=False)
    _share: float = field(default=0.0, init=False)

    async def read(self, pages: PageReads, store: Store, question: Question) -> ReadPage:
        """Return a page with what is shown of it.

        Where somebody of the page is changed or erased between two reads it is read as a whole: a page that lacks one
        would seem to be the last, and who was changed may belong elsewhere.

        Raises answer-too-large, and what `render` raises.
        """
        if self._share < _WORTH:
            return await self._read_whole(pages, store, question)
        stubs = self._known(await pages.find(store, replace(question, fields=_STUB, version=True)))
        missing = tuple(stub["id"] for stub, known in stubs if known is None)
        if missing:
            wholes = await pages.find(store, self._whole(Question(by_ids(missing), limit=len(missing))))
            made = {(whole["id"], whole["version"]): self._new(whole) for whole in wholes}
            stubs = [(stub, known or made.get((stub["id"], stub["version"]))) for stub, known in stubs]
        shown = [one for _, one in stubs if one is not None]
        if len(shown) < len(stubs):
            return await self._read_whole(pages, store, question)
        return ReadPage([stub for stub, _ in stubs], Shown(shown, self.render))

    async def _read_whole(self, pages: PageReads, store: Store, question: Question) -> ReadPage:
        found = await pages.find(store, self._whole(question))
        shown = [known or self._new(one) for one, known in self._known(found)]
        return ReadPage(found, Shown(shown, self.render))

    def _whole(self, question: Question) -> Question:
        return replace(question, fields=self.fields, version=True)

    def _known(self, customers: Sequence[Customer]) -> list[tuple[Customer, Rendering | None]]:
        """Return customers, each with what is shown of it at its version where that is at hand."""
        get = self.kept.get
        found = [
            (one, known if (known := get(one["id"])) is not None and known.version == one["version"] else None)
            for one in customers
        ]
        if found:
            misses = [known for _, known in found].count(None)
            self.memory.misses += misses
            self.memory.hits += len(found) - misses
            self._share += (1 - _BEFORE) * (1 - misses / len(found) - self._share)
        return found

    def _new(self, customer: Customer) -> Rendering:
        made = self.memory.made(customer["version"], *self.render(customer))
        if self.memory.room(made, self.kept.pop(customer["id"], None)):
            self.kept[customer["id"]] = made
        return made
