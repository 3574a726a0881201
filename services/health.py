"""Readiness: whether the service can do its work, and if not, why. For load balancers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.database.interface import Database
from core.database.schema_version import newest_revision, revision_in
from core.errors import Unavailable
from core.log_file import LogFile
from services.audit_forwarding.worker import AuditForwarding
from stores.challenges.interface import Challenges

# Below the 3 seconds that probes wait: a probe that gave up would not see the reason.
CHECK_TIMEOUT_SECONDS = 2
OK = "ok"


@dataclass(frozen=True)
class Health:
    """Checks the database and the challenge store, without which the service is not ready.

    It also reports on the log file and the audit sinks. Their faults do not make it unready.
    """

    db: Database
    challenges: Challenges
    log_file: LogFile
    audit_forwarding: AuditForwarding

    async def report(self) -> tuple[bool, dict[str, str]]:
        """Whether ceremonies can be held, and the state of each part by its name."""
        checks = {"database": self._database, "challenges": self._challenges}
        answers = await asyncio.gather(*(_ask(check) for check in checks.values()))
        parts = dict(zip(checks, answers, strict=True))
        ready = all(answer == OK for answer in parts.values())
        lost = self.log_file.lines_lost
        log = f"{lost} lines lost" if lost else OK
        return ready, {**parts, "log": log, **self.audit_forwarding.report()}

    async def _database(self) -> str:
        found, needed = await self.db.read(revision_in), newest_revision()
        return OK if found == needed else f"the schema is at {found}, {needed} is needed"

    async def _challenges(self) -> str:
        await self.challenges.check()
        return OK


async def _ask(check: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            return await check()
    except TimeoutError:
        return "no answer in time"
    except Unavailable as error:
        return f"away ({error})"
