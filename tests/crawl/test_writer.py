"""The thread that writes: order, batches, faults, and the end."""

import asyncio
import gc
import shutil
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest

from hubindex.crawl import writer as writer_module
from hubindex.crawl.commands import StoreRepositories
from hubindex.crawl.writer import BATCH_ROWS, Writer
from hubindex.errors import NewerIndex, StorageError
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Batch
from hubindex.index.writing.repositories import Stored
from hubindex.records import Repository, Tag, TagPage
from tests.crawl.crawling import DEADLINE, disconnect, names, shut
from tests.index.building import problems, rows

T = TypeVar("T")


def written(location: Location, story: Callable[[Writer], Awaitable[T]]) -> T:
    """The outcome of a story told to a writer; must end before the deadline."""

    async def telling() -> T:
        async with Writer(location) as writer:
            return await story(writer)

    return asyncio.run(asyncio.wait_for(telling(), DEADLINE))


def add(name: str) -> StoreRepositories:
    """The command that stores a repository."""
    return StoreRepositories("docker.io", [Repository(name=name)], 1000, None)


@dataclass(frozen=True)
class Call(Generic[T]):
    """A command that calls a function."""

    function: Callable[[Batch], T]

    def run(self, batch: Batch) -> T:
        """What the function returns."""
        return self.function(batch)


def many_tags(prefix: str, count: int) -> TagPage:
    tags = tuple(Tag(name=f"{prefix}{number}") for number in range(count))
    return TagPage(tags=tags, count=count, more=False, observed_at=1000)


def test_an_answer_is_what_the_command_returned(location: Location) -> None:
    """Once it is committed."""

    async def story(writer: Writer) -> tuple[str, list[str]]:
        stored = await writer.write(add("acme/app"))
        return stored[0].name, await asyncio.to_thread(names, location)

    assert written(location, story) == ("acme/app", ["acme/app"])


def test_commands_run_in_the_order_in_which_they_were_accepted(location: Location) -> None:
    """Whatever transaction they end up in."""
    order: list[int] = []

    async def story(writer: Writer) -> None:
        for number in range(200):
            await writer.accept(Call(lambda _batch, number=number: order.append(number)))  # type: ignore[misc]

    written(location, story)
    assert order == list(range(200))


def test_waiting_commands_share_a_transaction(location: Location) -> None:
    """A commit costs more than a row: what waits goes in together."""
    batches: list[Batch] = []
    held = threading.Event()

    def wait(batch: Batch) -> None:
        batches.append(batch)
        held.wait(DEADLINE)

    async def story(writer: Writer) -> None:
        await writer.accept(Call(wait))
        for _ in range(5):
            await writer.accept(Call(batches.append))
        held.set()

    written(location, story)
    assert len(batches) == 6
    assert len(set(map(id, batches))) == 1


def test_a_transaction_ends_when_it_is_large(location: Location) -> None:
    """However much waits: memory and locks are bounded."""
    batches: list[Batch] = []
    held = threading.Event()

    async def story(writer: Writer) -> None:
        number = (await writer.write(add("acme/app")))[0].repository_id

        def large(batch: Batch) -> None:
            held.wait(DEADLINE)
            batches.append(batch)
            batch.tag_page(number, many_tags("x", BATCH_ROWS))

        await writer.accept(Call(large))
        await writer.accept(Call(batches.append))
        held.set()

    written(location, story)
    first, second = batches
    assert first is not second


def test_a_command_that_raises_is_the_only_one_that_fails(location: Location) -> None:
    """The others of its transaction are written all the same, and the culprit hears why."""
    held = threading.Event()

    def spoil(batch: Batch) -> list[Stored]:
        add("acme/spoilt").run(batch)
        raise ValueError("spoilt")

    async def story(writer: Writer) -> list[object]:
        await writer.accept(Call(lambda _batch: held.wait(DEADLINE)))
        good, bad, also_good = add("acme/a"), Call(spoil), add("acme/b")
        futures = [await writer.accept(good), await writer.accept(bad), await writer.accept(also_good)]
        held.set()
        return await asyncio.gather(*futures, return_exceptions=True)

    outcomes = written(location, story)
    assert [type(outcome) for outcome in outcomes] == [list, ValueError, list]
    assert names(location) == ["acme/a", "acme/b"]


def test_a_command_that_raises_leaves_nothing_behind(location: Location) -> None:
    """What it had written before is rolled back, and the writer goes on."""

    def spoil(batch: Batch) -> None:
        add("acme/spoilt").run(batch)
        raise ValueError("spoilt")

    async def story(writer: Writer) -> None:
        with pytest.raises(ValueError, match="spoilt"):
            await writer.write(Call(spoil))
        await writer.write(add("acme/app"))

    written(location, story)
    assert names(location) == ["acme/app"]
    assert problems(location) == []


def test_numbers_given_out_in_a_failed_transaction_are_not_used(location: Location) -> None:
    """A platform that was numbered in vain is numbered anew, or a later row would point to nothing."""
    page = TagPage(
        tags=(Tag(name="latest", digest=bytes(32), media_type="a/type", size=1),),
        count=1,
        more=False,
        observed_at=1000,
    )

    async def story(writer: Writer) -> None:
        number = (await writer.write(add("acme/app")))[0].repository_id

        def spoil(batch: Batch) -> None:
            batch.tag_page(number, page)
            raise ValueError("spoilt")

        with pytest.raises(ValueError, match="spoilt"):
            await writer.write(Call(spoil))
        await writer.write(Call(lambda batch: batch.tag_page(number, page)))

    written(location, story)
    assert rows(location, "SELECT m.name FROM digest d JOIN media_type m USING (media_type_id)") == [("a/type",)]
    assert problems(location) == []


def test_everything_accepted_is_written_on_leaving(location: Location) -> None:
    """Nobody has to wait for the futures."""

    async def story(writer: Writer) -> None:
        for number in range(30):
            await writer.accept(add(f"acme/app-{number}"))

    written(location, story)
    assert len(names(location)) == 30


def test_everything_accepted_is_written_when_interrupted(location: Location) -> None:
    """A cancellation ends the crawl, not the writing of what it had gathered."""
    held = threading.Event()

    async def interrupted() -> None:
        started = asyncio.Event()

        async def working() -> None:
            async with Writer(location) as writer:
                await writer.accept(Call(lambda _batch: held.wait(DEADLINE)))
                for number in range(30):
                    await writer.accept(add(f"acme/app-{number}"))
                started.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(working())
        await started.wait()
        task.cancel()
        asyncio.get_running_loop().call_later(0.01, held.set)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(interrupted(), DEADLINE))
    assert len(names(location)) == 30


def test_a_command_whose_caller_was_cancelled_is_written_and_disturbs_nobody(location: Location) -> None:
    """Its outcome has nobody to go to."""
    held = threading.Event()

    async def story(writer: Writer) -> None:
        await writer.accept(Call(lambda _batch: held.wait(DEADLINE)))
        caller = asyncio.create_task(writer.write(add("acme/left-alone")))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        held.set()
        await writer.write(add("acme/app"))

    written(location, story)
    assert names(location) == ["acme/app", "acme/left-alone"]


def test_a_failure_that_nobody_waits_for_is_not_shouted_about(
    location: Location, caplog: pytest.LogCaptureFixture
) -> None:
    """Those who waited may have been cancelled by the first failure: one error is enough on a terminal."""

    def spoil(_batch: Batch) -> None:
        raise ValueError("spoilt")

    async def story(writer: Writer) -> None:
        for _ in range(5):
            await writer.accept(Call(spoil))

    written(location, story)
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_no_more_than_a_queue_of_commands_waits(location: Location) -> None:
    """A crawler faster than the disk has to wait: memory does not grow with the size of the crawl."""
    held = threading.Event()

    async def story(writer: Writer) -> int:
        accepted = 0

        async def flood() -> None:
            nonlocal accepted
            for _ in range(1000):
                await writer.accept(Call(lambda _batch: held.wait(DEADLINE)))
                accepted += 1

        task = asyncio.create_task(flood())
        for _ in range(2000):  # turns of the loop: enough for a flood that nothing holds back
            await asyncio.sleep(0)
        most = accepted
        held.set()
        await task
        assert accepted == 1000
        return most

    assert written(location, story) == writer_module._QUEUED_COMMANDS


def test_the_index_is_created_on_first_use(tmp_path: Path) -> None:
    """With its folder."""
    location = Location.parse(str(tmp_path / "new" / "folder" / "index.db"))

    async def story(writer: Writer) -> None:
        await writer.write(add("acme/app"))

    written(location, story)
    assert names(location) == ["acme/app"]


def test_an_unusable_index_is_refused_on_entering(tmp_path: Path) -> None:
    """Before anything is fetched."""

    async def story(_writer: Writer) -> None:
        pytest.fail("entered")

    with pytest.raises(StorageError, match="is a folder"):
        written(Location.parse(str(tmp_path)), story)


def test_a_server_that_is_not_there_is_refused_on_entering() -> None:
    """Before anything is fetched, and without a word about the password."""

    async def story(_writer: Writer) -> None:
        pytest.fail("entered")

    with pytest.raises(StorageError) as caught:
        written(Location.parse("postgresql://me:secret@127.0.0.1:1/none"), story)
    assert "secret" not in str(caught.value)


def test_an_index_of_a_newer_program_is_refused_on_entering(sqlite_template: Path, tmp_path: Path) -> None:
    """Its rows may mean what this program does not know."""
    location = Location.parse(str(shutil.copy(sqlite_template, tmp_path / "index.db")))
    connection = sqlite3.connect(location.target)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    async def story(_writer: Writer) -> None:
        pytest.fail("entered")

    with pytest.raises(NewerIndex):
        written(location, story)


def test_no_thread_is_left_behind(location: Location) -> None:
    """Neither after a good end nor after a refusal."""

    async def story(writer: Writer) -> None:
        await writer.write(add("acme/app"))

    written(location, story)
    with pytest.raises(StorageError):
        written(Location.parse("/dev/null/index.db"), story)
    for thread in [each for each in threading.enumerate() if each.name == "hubindex-writer"]:
        thread.join(DEADLINE)  # it has told of its failure, and may need a moment to end
        assert not thread.is_alive()


def test_a_database_that_goes_away_is_an_error_for_each_who_waits(
    postgresql_server: str, postgresql_url: str
) -> None:
    """Nobody hangs, and the writer can be left."""
    location = Location.parse(postgresql_url)

    async def story(writer: Writer) -> list[object]:
        await writer.write(add("acme/app"))
        await asyncio.to_thread(shut, postgresql_server, postgresql_url)
        futures = [await writer.accept(add(f"acme/{number}")) for number in range(3)]
        return await asyncio.gather(*futures, return_exceptions=True)

    outcomes = written(location, story)
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 3


def test_a_connection_that_is_cut_costs_only_the_transactions_it_was_in(
    postgresql_server: str, postgresql_url: str
) -> None:
    """What was in flight is written again on a new connection."""
    location = Location.parse(postgresql_url)

    def cut(batch: Batch) -> None:
        if not is_cut.is_set():
            is_cut.set()
            disconnect(postgresql_server, postgresql_url)
        add("acme/app").run(batch)

    is_cut = threading.Event()

    async def story(writer: Writer) -> None:
        await writer.write(Call(cut))

    written(location, story)
    assert names(location) == ["acme/app"]


def test_a_sqlite_file_that_becomes_unwritable_is_an_error(tmp_path: Path, sqlite_template: Path) -> None:
    """A file that is no database any more is told, not waited for."""
    path = Path(shutil.copy(sqlite_template, tmp_path / "index.db"))
    location = Location.parse(str(path))

    def ruin() -> None:
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        path.write_bytes(b"this is no database " * 1000)

    async def story(writer: Writer) -> None:
        await writer.write(add("acme/app"))
        await asyncio.to_thread(ruin)
        with pytest.raises(StorageError):
            await writer.write(add("acme/more"))

    written(location, story)
