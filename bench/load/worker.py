"""One client process: its people, its connections, and the loop that drives them."""

from __future__ import annotations

import selectors
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from secrets import token_hex
from typing import Any

from bench.load.api import Answer, Api, Person, Script, Wrong
from bench.load.authenticator import Passkey, Site
from bench.load.pinning import pinned
from bench.load.wire import Connection, loopback

ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Target:
    """A server under load, and how it is spoken to. `origin` is what browsers would show."""

    url: str
    origin: str
    api: type[Api]


@dataclass(frozen=True)
class Window:
    """One measurement: until `seconds` are over or `operations` are begun, whichever is first."""

    kind: str
    connections: int
    seconds: float
    operations: int
    start_at: float


@dataclass
class Result:
    """What one process saw: latencies in ms of what succeeded, and what went wrong."""

    latencies: array[float] = field(default_factory=lambda: array("d"))
    errors: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0
    end: float = 0.0


class Lane:
    """A connection with the operation that is under way on it."""

    __slots__ = ("connection", "person", "script", "sent", "started")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.person: Person
        self.script: Script
        self.started = self.sent = 0.0


class Worker:
    """People of its own, so that processes never meet in one account."""

    def __init__(self, target: Target, name: str) -> None:
        self._address = loopback(target.url)
        site = Site(target.origin)
        self._api = target.api(target.origin.partition("//")[2], site)
        self._people: deque[Person] = deque()
        self._newcomers: deque[Person] = deque()
        self._strangers: deque[Person] = deque()
        self._name, self._born = name, 0

    def stock(self, count: int) -> int:
        """Have `count` people ready who are not registered yet."""
        while len(self._strangers) < count:
            self._strangers.append(self._stranger())
        return count

    def _stranger(self) -> Person:
        self._born += 1
        # Neighbours in time are no neighbours in the index, as with real people.
        spread = token_hex(3)
        return Person(f"{spread}-{self._name}-{self._born}@example.com".encode(), Passkey())

    def run(self, window: Window) -> Result:
        """Drive one window; every connection has one operation under way at any time."""
        result = Result()
        drive = _Drive(self, window, result)
        with drive.lanes(self._address) as lanes:
            time.sleep(max(0.0, window.start_at - time.monotonic()))
            before = time.process_time()
            drive.drive(lanes)
            result.cpu_seconds = time.process_time() - before
        result.end = time.monotonic()
        return result

    def take(self, kind: str) -> Person:
        if kind == "register":
            return self._strangers.popleft() if self._strangers else self._stranger()
        # The one who waited longest: nobody logs in twice at a time. Only who has logged in has
        # a token to read with.
        waiting = self._newcomers if self._newcomers and kind != "profile" else self._people
        return waiting.popleft()

    def script(self, kind: str, person: Person) -> Script:
        return self._api.script(kind, person)

    def put_back(self, kind: str, person: Person, succeeded: bool) -> None:
        if person.profile:
            self._people.append(person)
        elif succeeded or kind != "register":
            self._newcomers.append(person)


class _Drive:
    """One window's loop."""

    def __init__(self, worker: Worker, window: Window, result: Result) -> None:
        self._worker, self._window, self._result = worker, window, result
        self._left = window.operations
        self._deadline = window.start_at + window.seconds
        self._selector = selectors.DefaultSelector()

    @contextmanager
    def lanes(self, address: tuple[str, int]) -> Iterator[list[Lane]]:
        lanes = [Lane(Connection(address)) for _ in range(self._window.connections)]
        try:
            yield lanes
        finally:
            self._selector.close()
            for lane in lanes:
                lane.connection.close()

    def drive(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            self._selector.register(lane.connection.socket, selectors.EVENT_READ, lane)
            self._next(lane)
        while self._selector.get_map():
            ready = self._selector.select(1.0)
            for key, _ in ready:
                self._advance(key.data)
            if not ready:
                self._give_up_on_the_stuck()

    def _next(self, lane: Lane) -> None:
        """Begin another operation, or retire the connection."""
        now = time.monotonic()
        if self._left <= 0 or now >= self._deadline:
            self._selector.unregister(lane.connection.socket)
            return
        self._left -= 1
        lane.person = self._worker.take(self._window.kind)
        lane.script = self._worker.script(self._window.kind, lane.person)
        lane.started = lane.sent = now
        lane.connection.send(next(lane.script))

    def _advance(self, lane: Lane) -> None:
        try:
            answer = lane.connection.feed()
            if answer is None:
                return
            self._answer(lane, answer)
        except StopIteration:
            self._done(lane)
        except (Wrong, KeyError, TypeError, ValueError) as error:
            self._fail(lane, str(error) if isinstance(error, Wrong) else f"shape: {error!r}")

    def _answer(self, lane: Lane, answer: Answer) -> None:
        request = lane.script.send(answer)
        lane.sent = time.monotonic()
        lane.connection.send(request)

    def _done(self, lane: Lane) -> None:
        self._result.latencies.append((time.monotonic() - lane.started) * 1000)
        self._worker.put_back(self._window.kind, lane.person, succeeded=True)
        self._next(lane)

    def _fail(self, lane: Lane, reason: str) -> None:
        self._result.errors[f"{self._window.kind}: {reason}"] += 1
        self._worker.put_back(self._window.kind, lane.person, succeeded=False)
        if "closed" in reason or "Error" in reason:
            # A connection that is gone is not opened again: its errors would be the client's.
            self._selector.unregister(lane.connection.socket)
        else:
            self._next(lane)

    def _give_up_on_the_stuck(self) -> None:
        for key in list(self._selector.get_map().values()):
            if time.monotonic() - key.data.sent > ANSWER_SECONDS:
                self._result.errors[f"{self._window.kind}: no answer"] += 1
                self._selector.unregister(key.fileobj)


def serve(pipe: Pipe, target: Target, name: str, cores: frozenset[int]) -> None:
    """A client process: does what the pipe says until it says None."""
    with pinned(cores), suppress(EOFError, KeyboardInterrupt):
        worker = Worker(target, name)
        while (command := pipe.recv()) is not None:
            method, argument = command
            answer: Any = getattr(worker, method)(argument)
            pipe.send(answer)
