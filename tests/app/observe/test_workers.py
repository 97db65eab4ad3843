"""Several workers, one page: any of them answers for all, and no counter goes back however they end."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import closing
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.observe import workers
from app.observe.counts import Counts, Histogram
from app.observe.workers import SharedFolder, Sum, open_workers, shared_folder
from tests.app.observe.reading import REQUESTS, Scrape, scrape
from tests.commands import Started, children_of, serving, until
from tests.harness import make_key

LIVE = "/health/live"
LABELS = ("a", "b")


def counted(number: int, *, busy: int = 1) -> Counts:
    """Return counts of which each part holds the number."""
    histogram = Histogram([number, 2 * number], number / 2)
    return Counts({"c": {LABELS: number}}, {"h": {LABELS: histogram}}, {"g": {(): busy}})


def numbers(total: Sum) -> tuple[float, list[int], float, float]:
    """Return counter, buckets, sum of seconds and gauge of a sum of such counts."""
    histogram = total.counts.histograms["h"][LABELS]
    gauge = total.counts.gauges.get("g", {}).get((), 0)
    return total.counts.counters["c"][LABELS], histogram.buckets, histogram.seconds, gauge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with shared_folder(tmp_path) as made:
        assert made.stat().st_mode & 0o777 == 0o700
    assert not made.exists()
    made.mkdir()
    return made


def _live(folder: Path, number: int, ready: Event) -> None:
    """Be a worker until somebody ends this process."""
    with closing(SharedFolder(folder)) as own:
        own.publish(counted(number))
        ready.set()
        signal.pause()


def worker(folder: Path, number: int) -> multiprocessing.process.BaseProcess:
    """Start a worker that has published."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Event()
    process = spawn.Process(target=_live, args=(folder, number, ready), daemon=True)
    process.start()
    assert ready.wait(30)
    return process


class TestFolder:
    def test_a_worker_that_was_killed_keeps_its_counts_and_loses_its_gauges(self, folder: Path) -> None:
        own = SharedFolder(folder)
        own.publish(counted(1))
        killed = worker(folder, 10)
        both = own.sum()
        assert numbers(both) == (11, [11, 22], 5.5, 2)
        assert (set(both.processes), both.ended) == ({os.getpid(), killed.pid}, 0)
        killed.kill()
        killed.join()
        for _ in range(3):
            after = own.sum()
            assert numbers(after) == (11, [11, 22], 5.5, 1)
            assert (after.processes, after.ended) == ((os.getpid(),), 1)
        own.close()

    def test_whoever_comes_next_takes_over_and_files_stay_few(self, folder: Path) -> None:
        for number in range(1, 21):
            one = SharedFolder(folder)
            one.publish(counted(number))
            one.sum()
            one.close()
        last = SharedFolder(folder)
        last.publish(counted(100))
        assert numbers(last.sum()) == (310, [310, 620], 155.0, 1)
        assert last.sum().ended == 20
        assert len(list(folder.iterdir())) == 4  # its two, the sums, and the lock
        last.close()

    @pytest.mark.parametrize("step", range(6))
    def test_an_end_in_the_middle_of_adding_up_counts_nothing_twice(
        self, step: int, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in (1, 2):
            gone = SharedFolder(folder)
            gone.publish(counted(number))
            gone.close()
        own = SharedFolder(folder)
        own.publish(counted(100))
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", ends_after(step, Path.unlink))
            with pytest.raises(KeyboardInterrupt):
                own.sum()
        for _ in range(2):
            assert numbers(own.sum()) == (103, [103, 206], 51.5, 1)
            assert own.sum().ended == 2
        own.close()

    def test_a_folder_that_another_one_keeps_to_itself_is_an_error_and_no_wait_without_end(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "_LOCK_SECONDS", 0.05)
        own = SharedFolder(folder)
        own.publish(counted(1))
        with workers._locked(folder / "lock"), pytest.raises(TimeoutError):
            own.sum()
        assert numbers(own.sum())[0] == 1
        own.close()

    def test_what_a_killed_gateway_left_behind_is_removed_by_the_next(self, tmp_path: Path) -> None:
        left = tmp_path / "customer-gateway-metrics-left"
        left.mkdir()
        (left / "owner").touch()
        other = tmp_path / "customer-gateway-other"
        other.mkdir()
        with shared_folder(tmp_path) as first, shared_folder(tmp_path) as second:
            assert not left.exists()
            assert {first, second, other} == set(tmp_path.iterdir())
        assert list(tmp_path.iterdir()) == [other]

    async def test_alone_it_answers_for_itself(self) -> None:
        async with open_workers(None) as alone:
            alone.publish(counted(3))
            assert numbers(alone.sum()) == (3, [3, 6], 1.5, 1)
            assert alone.sum().processes == (os.getpid(),)


def ends_after(steps: int, real: Callable[..., None]) -> Callable[..., None]:
    """Return a function that does as the real one so many times, and then ends what calls it."""
    left = iter(range(steps))

    def unlink(path: Path, **options: bool) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(path, **options)

    return unlink


class Fleet:
    """Two workers of one gateway; each request comes by a new connection, so either may get it."""

    def __init__(self, server: Started, key: str) -> None:
        self.server, self.key = server, key
        self.sent = 0

    def ask(self, times: int) -> None:
        """Send so many requests."""
        for _ in range(times):
            assert httpx2.get(f"{self.server.url}{LIVE}").status_code == 200
            self.sent += 1

    def scrape(self) -> Scrape:
        """Return what any of them says."""
        with self.server.client(self.key) as client:
            return scrape(client)

    def told(self) -> float:
        """Return how many requests one says that there were."""
        return self.scrape().value(REQUESTS, operation=LIVE)

    def workers(self) -> list[int]:
        """Return the processes that serve."""
        return [pid for pid in children_of(self.server.process.pid) if "spawn_main" in workers_line(pid)]


def workers_line(pid: int) -> str:
    """Return the command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


@pytest.mark.slow
def test_two_workers_answer_as_one_while_one_is_killed_and_the_other_told_to_end(
    tmp_path: Path, mongod_url: str, database: str
) -> None:
    settings: dict[str, Any] = {"mongodb_url": mongod_url, "mongodb_database": database, "rate_limit": "off"}
    with serving(tmp_path, "--workers", "2", **settings) as server:
        fleet = Fleet(server, make_key(mongod_url, database))
        until(lambda: fleet.scrape().value("gateway_workers") == 2, 30, "both workers in the metrics")
        fleet.ask(40)
        until(lambda: fleet.told() == fleet.sent, what="all that both have counted")
        killed, stays = fleet.workers()
        before = fleet.scrape()
        os.kill(killed, signal.SIGKILL)
        until(lambda: killed not in fleet.workers() and len(fleet.workers()) == 2, 30, "a new worker")
        assert stays in fleet.workers()
        until(lambda: fleet.scrape().value("gateway_workers") == 2, 30, "the new worker in the metrics")
        after = fleet.scrape()
        assert after.value("gateway_workers_ended_total") == 1
        assert no_counter_went_back(before, after)
        fleet.ask(40)
        until(lambda: fleet.told() == fleet.sent, what="all that the three have counted")
        assert 0 < fleet.scrape().value("process_open_fds") < 1000
        os.kill(stays, signal.SIGTERM)
        until(lambda: stays not in fleet.workers() and len(fleet.workers()) == 2, 30, "another new worker")
        until(lambda: fleet.scrape().value("gateway_workers_ended_total") == 2, 30, "both ends in the metrics")
        assert fleet.told() == fleet.sent
        assert server.stop() == 0


def no_counter_went_back(before: Scrape, after: Scrape) -> bool:
    """Tell whether everything that only grows is at least what it was."""
    growing = [key for key in before.samples if key[0].endswith(("_total", "_bucket", "_count", "_sum"))]
    lower = [key for key in growing if after.samples.get(key, -1.0) < before.samples[key]]
    assert lower == []
    return len(growing) > 50
