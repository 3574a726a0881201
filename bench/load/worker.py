"""One client process: its people, its connections, and the event loop that drives them."""

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
    """A server under load, and the API to call it. `origin` is what browsers would show."""

    url: str
    origin: str
    api: type[Api]


@dataclass(frozen=True)
class Window:
    """One measurement. It ends after `seconds`, or once `operations` are begun."""

    kind: str
    connections: int
    seconds: float
    operations: int
    start_at: float


@dataclass
class Result:
    """What one process measured: latencies of successes in ms, and errors by reason."""

    latencies: array[float] = field(default_factory=lambda: array("d"))
    errors: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0
    end: float = 0.0


class ConnectionLoop:
    """A connection with the operation that runs on it."""

    __slots__ = ("connection", "person", "script", "sent", "started")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.person: Person
        self.script: Script
        self.started = self.sent = 0.0


class Worker:
    """Has people of its own, so that two processes never use one account."""

    def __init__(self, target: Target, name: str) -> None:
        self._address = loopback(target.url)
        site = Site(target.origin)
        self._api = target.api(target.origin.partition("//")[2], site)
        self._people: deque[Person] = deque()
        self._registered: deque[Person] = deque()
        self._unregistered: deque[Person] = deque()
        self._name, self._born = name, 0

    def stock(self, count: int) -> int:
        """Make keys for `count` people who are not registered yet."""
        while len(self._unregistered) < count:
            self._unregistered.append(self._new_person())
        return count

    def _new_person(self) -> Person:
        self._born += 1
        # People who register one after the other are not neighbours in the index.
        spread = token_hex(3)
        return Person(f"{spread}-{self._name}-{self._born}@example.com".encode(), Passkey())

    def run(self, window: Window) -> Result:
        """Run one window. Every connection has one operation under way at any time."""
        result = Result()
        drive = _Drive(self, window, result)
        with drive.loops(self._address) as loops:
            time.sleep(max(0.0, window.start_at - time.monotonic()))
            before = time.process_time()
            drive.drive(loops)
            result.cpu_seconds = time.process_time() - before
        result.end = time.monotonic()
        return result

    def take(self, kind: str) -> Person:
        if kind == "register":
            return self._unregistered.popleft() if self._unregistered else self._new_person()
        # The person who waited longest, so that nobody logs in twice at a time. Only a person who
        # has logged in has a token to read a profile with.
        waiting = self._registered if self._registered and kind != "profile" else self._people
        return waiting.popleft()

    def script(self, kind: str, person: Person) -> Script:
        return self._api.script(kind, person)

    def put_back(self, kind: str, person: Person, succeeded: bool) -> None:
        if person.profile:
            self._people.append(person)
        elif succeeded or kind != "register":
            self._registered.append(person)


class _Drive:
    """One window's loop."""

    def __init__(self, worker: Worker, window: Window, result: Result) -> None:
        self._worker, self._window, self._result = worker, window, result
        self._left = window.operations
        self._deadline = window.start_at + window.seconds
        self._selector = selectors.DefaultSelector()

    @contextmanager
    def loops(self, address: tuple[str, int]) -> Iterator[list[ConnectionLoop]]:
        loops = [ConnectionLoop(Connection(address)) for _ in range(self._window.connections)]
        try:
            yield loops
        finally:
            self._selector.close()
            for loop in loops:
                loop.connection.close()

    def drive(self, loops: list[ConnectionLoop]) -> None:
        for loop in loops:
            self._selector.register(loop.connection.socket, selectors.EVENT_READ, loop)
            self._next(loop)
        while self._selector.get_map():
            ready = self._selector.select(1.0)
            for key, _ in ready:
                self._advance(key.data)
            if not ready:
                self._give_up_on_the_stuck()

    def _next(self, loop: ConnectionLoop) -> None:
        """Begin another operation, or stop using the connection."""
        now = time.monotonic()
        if self._left <= 0 or now >= self._deadline:
            self._selector.unregister(loop.connection.socket)
            return
        self._left -= 1
        loop.person = self._worker.take(self._window.kind)
        loop.script = self._worker.script(self._window.kind, loop.person)
        loop.started = loop.sent = now
        loop.connection.send(next(loop.script))

    def _advance(self, loop: ConnectionLoop) -> None:
        try:
            answer = loop.connection.feed()
            if answer is None:
                return
            self._answer(loop, answer)
        except StopIteration:
            self._done(loop)
        except (Wrong, KeyError, TypeError, ValueError) as error:
            self._fail(loop, str(error) if isinstance(error, Wrong) else f"shape: {error!r}")

    def _answer(self, loop: ConnectionLoop, answer: Answer) -> None:
        request = loop.script.send(answer)
        loop.sent = time.monotonic()
        loop.connection.send(request)

    def _done(self, loop: ConnectionLoop) -> None:
        self._result.latencies.append((time.monotonic() - loop.started) * 1000)
        self._worker.put_back(self._window.kind, loop.person, succeeded=True)
        self._next(loop)

    def _fail(self, loop: ConnectionLoop, reason: str) -> None:
        self._result.errors[f"{self._window.kind}: {reason}"] += 1
        self._worker.put_back(self._window.kind, loop.person, succeeded=False)
        if "closed" in reason or "Error" in reason:
            # A closed connection is not opened again: its errors would be errors of the client.
            self._selector.unregister(loop.connection.socket)
        else:
            self._next(loop)

    def _give_up_on_the_stuck(self) -> None:
        for key in list(self._selector.get_map().values()):
            if time.monotonic() - key.data.sent > ANSWER_SECONDS:
                self._result.errors[f"{self._window.kind}: no answer"] += 1
                self._selector.unregister(key.fileobj)


def serve(pipe: Pipe, target: Target, name: str, cores: frozenset[int]) -> None:
    """A client process: does what the pipe sends until it sends None."""
    with pinned(cores), suppress(EOFError, KeyboardInterrupt):
        worker = Worker(target, name)
        while (command := pipe.recv()) is not None:
            method, argument = command
            answer: Any = getattr(worker, method)(argument)
            pipe.send(answer)
