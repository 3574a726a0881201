"""The exit code after SIGTERM: 0 if the service ended in good order, the signal's own if not.

uvicorn finishes its work and then raises the signal again, so that a good end and a bad one look
the same (143) to whoever started it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType


def end_well_on_sigterm(is_stopped: Callable[[], bool]) -> None:
    """Take SIGTERM, once `is_stopped`, for the request to exit with 0. Main thread only."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        # Someone else decides, such as uvicorn's supervisor of several workers.
        return

    def end(number: int, _frame: FrameType | None) -> None:
        if is_stopped():
            raise SystemExit(0)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    signal.signal(signal.SIGTERM, end)
