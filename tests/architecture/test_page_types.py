"""The type check of the page: its compiler is pinned, and it sees every script of the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scripts" / "page-types"


def test_the_compiler_is_pinned_and_no_download_address_is_kept() -> None:
    """Where packages come from is the setting of whoever installs them."""
    package = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    lock = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    for version in package["devDependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert '"resolved"' not in lock
    assert "://" not in lock
    locked = json.loads(lock)["packages"]
    assert locked[""]["devDependencies"] == package["devDependencies"]
    assert all(found["integrity"] for name, found in locked.items() if name)


def test_every_script_of_the_page_is_checked_strictly() -> None:
    config = json.loads((FOLDER / "tsconfig.json").read_text(encoding="utf-8"))
    options = config["compilerOptions"]
    assert (options["strict"], options["checkJs"], options["noEmit"]) == (True, True, True)
    checked = {path.resolve() for pattern in config["include"] for path in FOLDER.glob(pattern)}
    scripts = {path for path in (ROOT / "static").rglob("*.js") if "vendor" not in path.parts}
    assert scripts <= checked
    for path in scripts:
        assert "@ts-" not in path.read_text(encoding="utf-8"), path


def test_without_node_the_check_is_left_out_but_fails_in_ci(tmp_path: Path) -> None:
    """A person may have no Node; CI must not pass without the check."""
    for name in ("sh", "dirname", "id"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    for ci, status in (("", 0), ("true", 1)):
        done = subprocess.run(
            [ROOT / "scripts" / "check-page-types.sh"],
            env={"PATH": str(tmp_path), "CI": ci},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == status
        assert "are not checked" in done.stderr
