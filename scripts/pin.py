"""Write the pins that follow from the direct requirements.

    make pins       resolves every package again; read the diff before you commit it

constraints.txt         the packages that the direct requirements need, for `pip install -r`
requirements.lock       all packages of the service with their hashes, for the Dockerfile
requirements-otel.lock  the same, with the packages for traces

uv resolves once for all platforms and for every Python from OLDEST_PYTHON on, and lists the hashes
of all files of a release. So one lock works on Linux, macOS and Windows. uv does not read pip's
settings: if you use an index of your own, give it in UV_DEFAULT_INDEX.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
RUNTIME, TRACES, DEVELOP = "requirements.txt", "requirements-otel.txt", "requirements-dev.txt"
# requirements.txt lists them so that it is enough for a first run of the tests.
TEST_TOOLS = {"pytest", "httpx"}

CONSTRAINTS_HEADER = """\
# What the direct requirements pull in, pinned exactly: one set for Python 3.11 and newer.
# Written by `make pins`; read by requirements.txt with `-c`. Only what is asked for is installed.
"""
LOCK_HEADER = """\
# Every package of {what}, pinned exactly, with the hashes of all its files.
# Written by `make pins`. Install with: pip install --require-hashes -r {file}
"""


def main() -> None:
    """Write all three files."""
    runtime, traces = list(direct(RUNTIME)), list(direct(TRACES))
    everything = [*runtime, *traces, *direct(DEVELOP)]
    pins = "".join(f"{line}\n" for line in pulled_in(everything))
    write("constraints.txt", CONSTRAINTS_HEADER, pins)
    service = [line for line in runtime if Requirement(line).name not in TEST_TOOLS]
    write_lock("requirements.lock", "the service", service)
    write_lock("requirements-otel.lock", "the service with traces", service + traces)


def direct(file: str) -> Iterator[str]:
    """The requirements that a person wrote into `file`."""
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-")):
            yield line


def pulled_in(requirements: list[str]) -> Iterator[str]:
    """The pins of all packages that `requirements` need and do not name."""
    named = {canonicalize_name(Requirement(line).name) for line in requirements}
    for line in resolve(requirements).splitlines():
        if canonicalize_name(Requirement(line).name) not in named:
            yield line


def write_lock(file: str, what: str, requirements: list[str]) -> None:
    """Write a lock of `requirements` in the versions of constraints.txt, with hashes."""
    locked = resolve(requirements, "--generate-hashes", "--constraints", "constraints.txt")
    write(file, LOCK_HEADER.format(what=what, file=file), locked)


def resolve(requirements: list[str], *options: str) -> str:
    """The pins of `requirements` and of all that they need, as lines of a requirements file."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", OLDEST_PYTHON, "--no-header", "--no-annotate", *options, "-"]
    return subprocess.run(
        command,
        cwd=ROOT,
        input="\n".join(requirements),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def write(file: str, header: str, text: str) -> None:
    (ROOT / file).write_text(header + text, encoding="utf-8")
    print(f"{file}: {text.count('==')} pins")


if __name__ == "__main__":
    main()
