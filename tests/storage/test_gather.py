"""Reads that wait together go out as one, and each caller keeps what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from storage import gather
from storage.deadlines import wire_deadline
from storage.errors import Unavailable
from storage.query import Question
from storage.reads import GatheredReads, SharedReads
from storage.store import Store
from storage.timing import StoreTime, measure
from tests.storage.test_customers import customer

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


class Source:
    """A store that answers when it is let, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.values: dict[str, int] = {}
        self.open = asyncio.Event()
        self.open.set()

    async def read(self, ids: list[str]) -> Mapping[str, int]:
        """Answer as the values are when the read begins."""
        self.asked.append(ids)
        seen = {one: self.values[one] for one in ids if one in self.values}
        await self.open.wait()
        return seen


async def test_reads_of_one_moment_are_one_read_and_each_gets_its_own() -> None:
    source = Source()
    source.values = {"a": 1, "b": 2}
    reads = GatheredReads(source.read)
    assert await asyncio.gather(*(reads.get(key) for key in ("a", "b", "a", "c"))) == [1, 2, 1, None]
    assert source.asked == [["a", "b", "c"]]


async def test_a_read_never_joins_one_that_has_begun() -> None:
    source = Source()
    source.values = {"a": 1}
    source.open.clear()
    reads = GatheredReads(source.read)
    early = asyncio.ensure_future(reads.get("a"))
    await until(lambda: len(source.asked) == 1)
    source.values["a"] = 2
    late = asyncio.ensure_future(reads.get("a"))
    await until(lambda: len(source.asked) == 2)
    source.open.set()
    assert (await early, await late) == (1, 2)


async def test_a_second_batch_goes_out_for_eight_at_once_and_for_fewer_once_they_have_waited() -> None:
    source = Source()
    source.open.clear()
    reads = GatheredReads(source.read)
    waiting = [asyncio.ensure_future(reads.get("first"))]
    await until(lambda: len(source.asked) == 1)
    waiting += [asyncio.ensure_future(reads.get(str(number))) for number in range(7)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(source.asked) == 1
    waiting.append(asyncio.ensure_future(reads.get("7")))
    await until(lambda: len(source.asked) == 2)
    assert source.asked[1:] == [[str(number) for number in range(8)]]
    source.open.set()
    await asyncio.gather(*waiting)
    source.open.clear()
    waiting = [asyncio.ensure_future(reads.get("first"))]
    await until(lambda: len(source.asked) == 3)
    waiting.append(asyncio.ensure_future(reads.get("second")))
    await until(lambda: len(source.asked) == 4)
    source.open.set()
    await asyncio.gather(*waiting)


async def test_who_comes_while_the_loop_still_brings_others_goes_along() -> None:
    source = Source()
    reads = GatheredReads(source.read)
    waiting = []
    for number in range(5):
        waiting.append(asyncio.ensure_future(reads.get(str(number))))
        await asyncio.sleep(0)
        assert source.asked == []
    await asyncio.gather(*waiting)
    assert source.asked == [["0", "1", "2", "3", "4"]]


async def test_a_batch_does_not_wait_for_ever_for_others_that_come() -> None:
    source = Source()
    reads = GatheredReads(source.read)
    waiting: list[asyncio.Future[int | None]] = []
    while not source.asked:
        waiting.append(asyncio.ensure_future(reads.get(str(len(waiting)))))
        await asyncio.sleep(0)
    assert 20 < len(source.asked[0]) < 50
    await asyncio.gather(*waiting)


async def test_where_nothing_is_to_be_gathered_each_asks_on_its_own_and_at_once() -> None:
    source = Source()
    source.open.clear()
    reads = GatheredReads(source.read, gather=False)
    waiting = [asyncio.ensure_future(reads.get(key)) for key in "aab"]
    await until(lambda: len(source.asked) == 3)
    assert source.asked == [["a"], ["a"], ["b"]]
    source.open.set()
    await asyncio.gather(*waiting)
    lists = Lists()
    lists.open.set()
    shared = SharedReads(lists.read, share=False)
    await asyncio.gather(*(shared.get("one") for _ in range(5)))
    assert lists.asked == ["one"] * 5


async def test_at_most_two_batches_are_out_and_the_rest_gather() -> None:
    source = Source()
    source.open.clear()
    reads = GatheredReads(source.read)
    waiting = []
    for number in range(20):
        waiting.append(asyncio.ensure_future(reads.get(str(number))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(source.asked) == 2
    source.open.set()
    await asyncio.gather(*waiting)
    assert len(source.asked) == 3
    assert sorted(key for keys in source.asked for key in keys) == sorted(map(str, range(20)))


async def test_one_callers_end_leaves_the_others_waiting() -> None:
    source = Source()
    source.values = {"a": 1}
    source.open.clear()
    reads = GatheredReads(source.read)
    impatient = asyncio.ensure_future(reads.get("a"))
    patient = asyncio.ensure_future(reads.get("a"))
    await until(lambda: bool(source.asked))
    impatient.cancel()
    source.open.set()
    assert await patient == 1
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_failed_batch_fails_for_each_on_its_own_and_the_next_one_works() -> None:
    failing = True

    async def read(ids: list[str]) -> Mapping[str, int]:
        if failing:
            raise Unavailable("none")
        return dict.fromkeys(ids, 7)

    reads = GatheredReads(read)
    results = await asyncio.gather(reads.get("a"), reads.get("a"), reads.get("b"), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert len({id(result) for result in results}) == 3
    failing = False
    assert await reads.get("a") == 7


async def test_an_unexpected_error_reaches_those_who_wait() -> None:
    async def read(ids: list[str]) -> Mapping[str, int]:
        raise ZeroDivisionError(ids)

    with pytest.raises(ZeroDivisionError):
        await GatheredReads(read).get("a")


async def test_a_deadline_ends_one_callers_waiting_and_leaves_the_rest() -> None:
    source = Source()
    source.values = {"a": 1}
    source.open.clear()
    reads = GatheredReads(source.read)
    patient = asyncio.ensure_future(reads.get("a"))
    with wire_deadline(0.01), pytest.raises(Unavailable) as raised:
        await reads.get("a")
    assert raised.value.outcome == "none"
    source.open.set()
    assert await patient == 1


async def test_who_has_left_is_not_read_for() -> None:
    source = Source()
    reads = GatheredReads(source.read)
    tasks = [asyncio.ensure_future(reads.get(key)) for key in "ab"]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert source.asked == [["b"]]


async def test_closing_waits_for_what_is_on_its_way() -> None:
    source = Source()
    source.values = {"a": 1}
    source.open.clear()
    reads = GatheredReads(source.read)
    asked = asyncio.ensure_future(reads.get("a"))
    await until(lambda: bool(source.asked))
    closing = asyncio.ensure_future(reads.queue.close())
    await asyncio.sleep(0)
    assert not closing.done()
    source.open.set()
    await closing
    assert await asked == 1


async def test_a_batch_that_is_cancelled_before_it_began_leaves_nobody_waiting() -> None:
    source = Source()
    reads = GatheredReads(source.read)
    asked = asyncio.ensure_future(reads.get("a"))
    await until(lambda: bool(reads.queue._batches))
    for batch in reads.queue._batches:
        batch.cancel()
    with pytest.raises(Unavailable):
        await asked


async def test_a_document_that_cannot_be_decoded_is_the_trouble_of_who_reads_it(store: Store) -> None:
    good, bad = customer(), customer()
    for one in (good, bad):
        await store.customers.create(one)
    raw = b"\xff\xfe not UTF-8"
    stored = store.client[store.database]["customers"]
    found = await stored.with_options(codec_options=RAW).find_one({"id": bad["id"]})
    assert found is not None
    await stored.replace_one({"id": bad["id"]}, RawBSONDocument(bytes(found.raw).replace(b"1 Market St.", raw[:12])))
    results = await asyncio.gather(
        *(store.customers.get(one["id"]) for one in (good, bad, good)), return_exceptions=True
    )
    assert (results[0], results[2]) == (good, good)
    assert isinstance(results[1], InvalidBSON)


# --- equal questions


class Lists:
    """A store that answers each question by how often it has been asked anything, when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = asyncio.Event()

    async def read(self, question: str) -> int:
        """Answer as it is when the read begins."""
        self.asked.append(question)
        number = len(self.asked)
        await self.open.wait()
        if question == "bad":
            raise Unavailable("none")
        return number


async def test_equal_questions_share_the_next_read_and_never_one_that_has_begun() -> None:
    lists = Lists()
    shared = SharedReads(lists.read)
    first = asyncio.ensure_future(shared.get("a"))
    await until(lambda: lists.asked == ["a"])
    second = [asyncio.ensure_future(shared.get("a")) for _ in range(5)]
    await until(lambda: lists.asked == ["a", "a"])
    third = [asyncio.ensure_future(shared.get("a")) for _ in range(5)]
    other = asyncio.ensure_future(shared.get("b"))
    await until(lambda: lists.asked == ["a", "a", "b"])
    lists.open.set()
    assert (await first, await asyncio.gather(*second), await other) == (1, [2] * 5, 3)
    assert await asyncio.gather(*third) == [4] * 5
    assert lists.asked == ["a", "a", "b", "a"]
    assert shared._out == {}


async def test_the_end_of_the_first_leaves_those_who_share_the_next() -> None:
    lists = Lists()
    shared = SharedReads(lists.read)
    tasks = [asyncio.ensure_future(shared.get("a")) for _ in range(4)]
    await until(lambda: len(lists.asked) == 2)
    for task in tasks[:2]:
        task.cancel()
    lists.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, True, False, False]
    assert results[2:] == [2, 2]
    assert shared._out == {}


async def test_a_question_that_all_have_left_is_forgotten_with_the_end_of_its_read() -> None:
    lists = Lists()
    shared = SharedReads(lists.read)
    tasks = [asyncio.ensure_future(shared.get("a")) for _ in range(4)]
    await until(lambda: len(lists.asked) == 2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert shared._out != {}
    lists.open.set()
    await until(lambda: shared._out == {})


async def test_a_shared_read_that_fails_fails_for_each_on_its_own() -> None:
    lists = Lists()
    lists.open.set()
    shared = SharedReads(lists.read)
    results = await asyncio.gather(*(shared.get("bad") for _ in range(4)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert len({id(result) for result in results}) == 4
    assert shared._out == {}


# --- what a request is told of its calls


async def test_of_reads_that_were_gathered_each_request_counts_one_and_the_time_once(store: Store) -> None:
    made = [customer() for _ in range(10)]
    await asyncio.gather(*map(store.customers.create, made))

    async def request() -> StoreTime:
        spent = measure()
        await asyncio.gather(*(store.customers.get(one["id"]) for one in made))
        return spent

    began = asyncio.get_running_loop().time()
    spent = await asyncio.gather(request(), request())
    took = asyncio.get_running_loop().time() - began
    assert [one.calls for one in spent] == [1, 1]
    assert all(0 < one.seconds <= took + 0.001 for one in spent)


async def test_calls_at_the_same_time_are_counted_each_and_their_time_once(store: Store) -> None:
    began = asyncio.get_running_loop().time()
    spent = measure()
    await asyncio.gather(*(store.customers.find(Question(skip=number)) for number in range(8)))
    assert spent.calls == 8
    assert 0 < spent.seconds <= asyncio.get_running_loop().time() - began + 0.001


async def until(condition: object, turns: int = 1000) -> None:
    """Give way to other tasks until the condition holds."""
    assert callable(condition)
    for turn in range(turns):
        if condition():
            return
        await asyncio.sleep(0 if turn < turns / 2 else 0.001)
    raise AssertionError("it did not happen")


async def test_batches_that_are_stuck_hold_up_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "_STUCK", 0.01)
    source, gone = Source(), asyncio.Event()
    source.values = {"a": 1}
    source.open = gone
    reads = GatheredReads(source.read)
    stuck = [asyncio.ensure_future(reads.get("a"))]
    await until(lambda: len(source.asked) == 1)
    stuck += [asyncio.ensure_future(reads.get("a")) for _ in range(8)]
    await until(lambda: len(source.asked) == 2)
    source.open = asyncio.Event()
    source.open.set()
    assert await reads.get("a") == 1
    assert not any(one.done() for one in stuck)
    before = reads.queue.idle
    gone.set()
    assert await asyncio.gather(*stuck) == [1] * 9
    assert (before, reads.queue.idle) == (False, True)
    await reads.queue.close()
