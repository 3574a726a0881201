"""Whether the service can do its work: asked by load balancers, answered with reasons."""

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

# Below the 3 s that probes wait, or nobody would see the reason.
PATIENCE_SECONDS = 2
OK = "ok"


@dataclass(frozen=True)
class Health:
    """Looks at each part the service cannot do without, and at the log and sinks, which it can."""

    db: Database
    challenges: Challenges
    log_file: LogFile
    shipping: AuditForwarding

    async def report(self) -> tuple[bool, dict[str, str]]:
        """Whether ceremonies can be held, and what each part says."""
        checks = {"database": self._database, "challenges": self._challenges}
        answers = await asyncio.gather(*(_ask(check) for check in checks.values()))
        parts = dict(zip(checks, answers, strict=True))
        ready = all(answer == OK for answer in parts.values())
        lost = self.log_file.lines_lost
        log = f"{lost} lines lost" if lost else OK
        return ready, {**parts, "log": log, **self.shipping.report()}

    async def _database(self) -> str:
        found, needed = await self.db.read(revision_in), newest_revision()
        return OK if found == needed else f"the schema is at {found}, {needed} is needed"

    async def _challenges(self) -> str:
        await self.challenges.check()
        return OK


async def _ask(check: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await check()
    except TimeoutError:
        return "no answer in time"
    except Unavailable as error:
        return f"away ({error})"
