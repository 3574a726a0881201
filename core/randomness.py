"""Random bytes from the kernel, a page at a time: a call for each id costs more than the id.

For ids and challenges. What is drawn ahead lies where the secrets of the service lie, too.
"""

from __future__ import annotations

import os
import threading

PAGE = 4096


class _Drawn:
    """The page that is being used up."""

    def __init__(self) -> None:
        self.forget()
        # Two processes must not go on with the same page.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Begin a new page."""
        self._lock, self._page, self._at = threading.Lock(), b"", 0

    def take(self, count: int) -> bytes:
        """`count` bytes that nobody else gets."""
        with self._lock:
            end = self._at + count
            if end > len(self._page):
                self._page, end = os.urandom(PAGE), count
            self._at = end
            return self._page[end - count : end]


_DRAWN = _Drawn()


def draw(count: int) -> bytes:
    """`count` bytes, at most a page, that nobody can foresee and nobody else gets."""
    return _DRAWN.take(count)
