"""Pending ceremonies in this process's memory: for one worker."""

from __future__ import annotations

from collections import OrderedDict

from core.clock import Clock
from stores.challenges.interface import LIFETIME_SECONDS, Pending, new_challenge


class MemoryChallenges:
    """`Challenges` in this process's memory, at most `capacity` of them.

    When the store is full, the oldest ceremony is dropped. To drop a login that takes ten seconds,
    an attacker must begin `capacity` ceremonies in those ten seconds. If the store refused the
    newest instead, `capacity` ceremonies in five minutes would lock everyone out.
    """

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._clock, self._capacity = clock, capacity
        self._waiting: OrderedDict[str, tuple[float, Pending]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, pending: Pending) -> str:
        now = self._clock.monotonic()
        self._drop_old(now)
        challenge = new_challenge()
        self._waiting[challenge] = (now + LIFETIME_SECONDS, pending)
        return challenge

    async def take(self, challenge: str) -> Pending | None:
        # One dictionary operation without an await: of several calls one gets the ceremony.
        expires, pending = self._waiting.pop(challenge, (0.0, None))
        return pending if self._clock.monotonic() < expires else None

    async def check(self) -> None:
        """Memory is always available."""

    async def stop(self) -> None:
        """There are no connections."""

    def metrics(self) -> dict[str, int]:
        return {"challenges_waiting": len(self._waiting)}

    def _drop_old(self, now: float) -> None:
        # All ceremonies live equally long, so the oldest expires first.
        while self._waiting:
            expires, _ = next(iter(self._waiting.values()))
            if expires > now and len(self._waiting) < self._capacity:
                return
            self._waiting.popitem(last=False)
