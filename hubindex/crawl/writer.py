"""The thread that writes: asyncio ends here, and the index begins."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

from hubindex.crawl.commands import Command
from hubindex.errors import StorageError
from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest

T = TypeVar("T")

BATCH_ROWS = 5000
"""A transaction ends when this many rows wait, or when nothing more does."""

_QUEUED_COMMANDS = 64

_SERVER_BACK_SECONDS = 120
"""How long a server of the index that went away is waited for."""

_SERVER_POLL_SECONDS = 0.5

_DEADLOCKS = 10
_TRY_AGAIN = {"40P01", "40001"}  # PostgreSQL: deadlock_detected, serialization_failure

_GRACE_SECONDS = 2.5
"""How long an interrupted crawl may write what was accepted; then the statement that runs is ended as well."""

_INTERRUPTIONS = 10


class _Queued(Generic[T]):
    """A command, and the future in which the event loop waits for its answer."""

    def __init__(self, command: Command[T], loop: asyncio.AbstractEventLoop) -> None:
        self.command = command
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()

    def succeed(self, value: T) -> None:
        self.loop.call_soon_threadsafe(self._settle, value, None)

    def fail(self, error: BaseException) -> None:
        self.loop.call_soon_threadsafe(self._settle, None, error)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self.future.cancelled():
            return
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


class Writer:
    """An `Ingest` in a thread of its own; used as an async context manager. `warn` is told what it waits for.

    Commands run in the order in which they were accepted. On leaving, everything accepted is written first; if the
    crawl was interrupted, what can be written within seconds.
    """

    def __init__(self, location: Location, warn: Callable[[str], None] = lambda _: None) -> None:
        self._location = location
        self._warn = warn
        self._queue: queue.SimpleQueue[_Queued[Any] | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(_QUEUED_COMMANDS)
        self._thread = threading.Thread(target=self._run, name="hubindex-writer", daemon=True)
        self._ready: asyncio.Future[None] | None = None
        self._leaving = threading.Event()
        self._interrupted = threading.Event()
        self._ingest: Ingest | None = None

    async def __aenter__(self) -> Self:
        """Open the index, creating or migrating it. Raises `StorageError`, `NewerIndex`."""
        self._loop = asyncio.get_running_loop()
        self._ready = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._thread.start()
        try:
            await self._ready
        except BaseException:
            self._queue.put(None)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        """Write what was accepted, or what there is time for, and close the index."""
        self._leaving.set()
        self._queue.put(None)
        is_interrupted = kind is not None and issubclass(kind, asyncio.CancelledError)
        try:
            await self._end(_GRACE_SECONDS if is_interrupted else None)
        except asyncio.CancelledError:
            await self._end(0 if is_interrupted else _GRACE_SECONDS)
            raise
        await asyncio.sleep(0)  # what the thread told the loop last is counted now

    async def _end(self, seconds: float | None) -> None:
        """Wait for the thread, so many seconds at most; then end what it does."""
        await asyncio.wait([self._ended], timeout=seconds)
        if self._ended.done():
            return
        self._interrupted.set()
        for _ in range(_INTERRUPTIONS):  # it may just be between two statements
            if self._ingest is not None:
                self._ingest.interrupt()
            await asyncio.wait([self._ended], timeout=_GRACE_SECONDS / _INTERRUPTIONS)
            if self._ended.done():
                return

    async def write(self, command: Command[T]) -> T:
        """Run a command in a transaction and return its answer once that is committed."""
        return await (await self.accept(command))

    async def accept(self, command: Command[T]) -> "asyncio.Future[T]":
        """Take a command over, waiting only while too much else waits; the future is its committed answer."""
        await self._room.acquire()
        item = _Queued(command, self._loop)
        item.future.add_done_callback(self._settled)
        self._queue.put(item)
        return item.future

    def accept_last(self, command: Command[object]) -> None:
        """Take a command over without waiting: the crawl is being cancelled, and nobody asks what came of it."""
        item = _Queued(command, self._loop)
        item.future.add_done_callback(_look_at)
        self._queue.put(item)

    def _settled(self, future: "asyncio.Future[Any]") -> None:
        self._room.release()
        _look_at(future)

    def _run(self) -> None:
        try:
            self._ingest = ingest = Ingest(self._location)
        except BaseException as error:
            self._tell_ready(error)
            return
        self._tell_ready(None)
        try:
            while (item := self._queue.get()) is not None:
                if not self._batch(ingest, item):
                    return
        finally:
            ingest.close(tidy=not self._interrupted.is_set())
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._tell_ended)

    def _tell_ended(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _tell_ready(self, error: BaseException | None) -> None:
        def settle() -> None:
            ready = self._ready
            if ready is None or ready.cancelled():
                return
            if error is not None:
                ready.set_exception(error)
            else:
                ready.set_result(None)

        self._loop.call_soon_threadsafe(settle)

    def _batch(self, ingest: Ingest, first: _Queued[Any]) -> bool:
        """Run commands in one transaction; returns whether more may follow."""
        items, goes_on = [first], True
        try:
            with ingest.transaction() as batch:
                values = [first.command.run(batch)]
                while batch.pending < BATCH_ROWS and not self._queue.empty() and not self._interrupted.is_set():
                    item = self._queue.get()
                    if item is None:
                        goes_on = False
                        break
                    items.append(item)
                    values.append(item.command.run(batch))
        except Exception as error:  # whoever waits for one is told, whatever it was
            if self._interrupted.is_set():
                for item in items:
                    item.fail(error)
            else:
                self._one_by_one(ingest, items, error)
        else:
            for item, value in zip(items, values, strict=True):
                item.succeed(value)
        return goes_on and not self._interrupted.is_set()

    def _one_by_one(self, ingest: Ingest, items: list[_Queued[Any]], error: Exception) -> None:
        """One command spoilt a transaction, or it was the victim of a deadlock: save the others."""
        for item in items:
            if len(items) == 1 and not isinstance(error, StorageError):
                item.fail(error)
                return
            if self._interrupted.is_set():
                item.fail(error)
                continue
            try:
                value = self._alone(ingest, item)
            except Exception as own_error:
                item.fail(own_error)
            else:
                item.succeed(value)

    def _alone(self, ingest: Ingest, item: _Queued[T]) -> T:
        """Run one command in a transaction of its own, again if a deadlock makes it the victim.

        If the server goes away it is waited for. A commit that was under way then may have come through: to say
        the same again changes nothing.
        """
        deadlocks, patience, is_told = 0, time.monotonic() + _SERVER_BACK_SECONDS, False
        while True:
            try:
                with ingest.transaction() as batch:
                    return item.command.run(batch)
            except StorageError as error:
                if ingest.is_lost(error) and time.monotonic() < patience:
                    if not is_told:
                        told = f"{self._location.label}: the server of the index went away: waiting for it"
                        self._loop.call_soon_threadsafe(self._warn, told)
                        is_told = True
                    if self._leaving.wait(_SERVER_POLL_SECONDS):
                        raise
                    continue
                deadlocks += 1
                if deadlocks > _DEADLOCKS or getattr(error.__cause__, "sqlstate", None) not in _TRY_AGAIN:
                    raise


def _look_at(future: "asyncio.Future[Any]") -> None:
    """Take note of a failure: asyncio shall not complain if whoever waited for it was cancelled meanwhile."""
    if not future.cancelled():
        future.exception()
