"""The one error of the commands."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot do what it was asked to do.

    The text is one sentence for the person who ran the command: it holds no secret. `exit_status`
    is the exit status of the process, 1 unless a subclass says otherwise.
    """

    exit_status = 1
