"""Finds Chromium, and names the arguments with which it connects to nothing but the service."""

import os
import shutil
from pathlib import Path

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = ("Google Chrome", "Chromium", "Google Chrome for Testing")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = (
    "No Chromium or Chrome was found. Install one (Debian: apt-get install chromium; "
    "macOS: brew install --cask chromium) or say where it is with CHROMIUM_PATH."
)


def _candidates() -> list[str | None]:
    given = os.environ.get("CHROMIUM_PATH")
    if given:  # if the variable is wrong, no other browser replaces it
        return [given]
    apps = [
        str(root / "Applications" / f"{app}.app" / "Contents" / "MacOS" / app)
        for app in MAC_APPS
        for root in (Path("/"), Path.home())
    ]
    return [*(shutil.which(command) for command in COMMANDS), *apps]


def find_chromium() -> str | None:
    """The path of the first browser that exists, or None."""
    return next((path for path in _candidates() if path and Path(path).is_file()), None)
