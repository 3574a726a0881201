"""One forked process for each mutant, which runs the tests until one of them fails."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from assurance.mutation.mutants import Mutant
from assurance.mutation.swap import InsteadOf, exchange_code
from assurance.mutation.targets import TARGETS, is_timed

# The slowest test takes a twentieth of a second, all of a target's two seconds.
TEST_SECONDS = 15
MUTANT_SECONDS = 120
MEMORY = 8 * 1024**3
ARGUMENTS = ("-x", "-q", "-s", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: `killed`, `survived` or `timeout`, and by which test."""

    mutant: Mutant
    outcome: str
    test: str
    seconds: float


class Pool:
    """At most `jobs` children at a time."""

    def __init__(self, jobs: int, scratch: Path, tell: Callable[[Verdict], None]) -> None:
        self._jobs, self._scratch, self._tell = jobs, scratch, tell
        self._running: dict[int, tuple[Mutant, float]] = {}

    def start(self, mutant: Mutant, work: Callable[[Path], int]) -> None:
        """Fork; the child ends with what `work` returns. It is handed a folder of its own."""
        while len(self._running) >= self._jobs:
            self._reap()
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _close_in()
                status = work(folder)
            except BaseException as error:
                note(self._scratch, f"{type(error).__name__} outside the tests")
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                os._exit(status)
        self._running[pid] = mutant, time.monotonic()

    def finish(self) -> None:
        """Wait for all of them."""
        while self._running:
            self._reap()

    def _reap(self) -> None:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in self._running:
                break
            self._end_the_slow()
            time.sleep(0.01)
        mutant, started = self._running.pop(pid)
        file = self._scratch / f"{pid}.txt"
        test = file.read_text(encoding="utf-8") if file.exists() else ""
        file.unlink(missing_ok=True)
        outcome = "timeout" if os.WIFSIGNALED(status) else "killed" if status else "survived"
        self._tell(Verdict(mutant, outcome, test, time.monotonic() - started))

    def _end_the_slow(self) -> None:
        for pid, (_, started) in self._running.items():
            if time.monotonic() - started > MUTANT_SECONDS:
                os.kill(pid, signal.SIGKILL)


def _close_in() -> None:
    """Quiet, bounded in memory, and without the parent's output."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def note(scratch: Path, test: str) -> None:
    """Leave word for the parent of what killed this process's mutant."""
    (scratch / f"{os.getpid()}.txt").write_text(test, encoding="utf-8")


def _arguments(paths: Iterable[str]) -> list[str]:
    return [*ARGUMENTS, *(path for path in paths if Path(path).is_file())]


class Deadline:
    """A pytest plugin: no test may take longer than that; the one that fails is noted."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Set the alarm anew; nobody handles it, so the process ends."""
        signal.setitimer(signal.ITIMER_REAL, TEST_SECONDS)
        note(self._scratch, nodeid)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """No test that judges by the clock."""
        items[:] = [item for item in items if not is_timed(item.nodeid)]


class Forks:
    """A pytest plugin: once all tests are collected, they are run in a child for each mutant."""

    def __init__(self, mutants: Sequence[Mutant], pool: Pool) -> None:
        self.mutants, self._pool = mutants, pool

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own."""
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        for mutant in self.mutants:
            self._pool.start(mutant, partial(_judge, session, mutant))
        self._pool.finish()
        return True


def _judge(session: pytest.Session, mutant: Mutant, folder: Path) -> int:
    # Children must not share one; there is no public way to move it.
    session.config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]
    exchange_code(mutant)
    items = _in_order(session.items, mutant)
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return 1
    return 0


def _in_order(items: Sequence[pytest.Item], mutant: Mutant) -> list[pytest.Item]:
    """The tests of this target, in its order."""
    tests = TARGETS[mutant.file]
    mine = [item for item in items if item.nodeid.startswith(tests)]
    return sorted(mine, key=lambda item: tests.index(item.nodeid.partition("::")[0]))


def run(root: Path, mutants: Sequence[Mutant], jobs: int, tell: Callable[[Verdict], None]) -> None:
    """Judge every mutant. No module of the service may have been imported yet."""
    # None of these tests needs one, and loading them takes longer than most mutants live.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        pool = Pool(jobs, scratch, tell)
        for mutant in mutants:
            if not mutant.in_function:
                pool.start(mutant, partial(_afresh, root, mutant, scratch))
        pool.finish()
        forks = Forks([mutant for mutant in mutants if mutant.in_function], pool)
        ended = pytest.main(_arguments(_paths(forks.mutants)), plugins=[forks, Deadline(scratch)])
        if ended != pytest.ExitCode.OK:
            sys.exit(f"pytest ended with {ended!r}")


def _paths(mutants: Iterable[Mutant]) -> list[str]:
    files = {mutant.file for mutant in mutants}
    # Each once, in the order of the targets.
    return list(dict.fromkeys(path for file in TARGETS if file in files for path in TARGETS[file]))


def _afresh(root: Path, mutant: Mutant, scratch: Path, folder: Path) -> int:
    """A constant may have been copied by whoever imported it: import everything in this child."""
    sys.meta_path.insert(0, InsteadOf(root, mutant))
    arguments = [*_arguments(TARGETS[mutant.file]), f"--basetemp={folder}/tests"]
    return int(pytest.main(arguments, plugins=[Deadline(scratch)]))
