"""Where the values of settings come from: environment variables, and files that hold secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from pydantic import ValidationError

from core.errors import ConfigurationError


def read_variable(name: str, environment: Mapping[str, str]) -> str | None:
    """The value of `name`, or the content of the file `name_FILE`; None if neither is set.

    Raises ConfigurationError if both are set, or the file is empty or not readable.
    """
    file = environment.get(f"{name}_FILE")
    if not file:
        return environment.get(name)
    if environment.get(name):
        raise ConfigurationError(f"{name} and {name}_FILE are both set: keep one")
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}_FILE cannot be read: {type(error).__name__}") from None
    if not value:
        # An empty secret would silently mean the development secret.
        raise ConfigurationError(f"{name}_FILE is empty")
    return value


def explain(error: ValidationError) -> dict[str, str]:
    """One sentence for each field that pydantic refused; the key "" has faults of the whole."""
    found = {}
    for item in error.errors(include_url=False, include_input=False, include_context=True):
        field = "_".join(str(part) for part in item["loc"][:1])
        reason = str(item.get("ctx", {}).get("error", item["msg"]))
        found[field] = f"{field.upper()}: {reason}" if field else reason
    return found


def sqlite_file(url: str) -> Path | None:
    """The file that the DATABASE_URL `url` names; None for another database or without a file.

    As the service reads it: ``%20`` in the URL is a space in the name.
    """
    scheme, _, name = url.partition(":///")
    return Path(unquote(name)) if scheme == "sqlite" and name else None


def redact_url(url: str) -> str:
    """`url` for logs and people: without user, password and parameters.

    If the URL is malformed its password may stand anywhere, so only the scheme is shown.
    """
    scheme, _, rest = url.partition("://")
    if rest.startswith("/"):
        return url
    place = re.fullmatch(r"(?:[^@/?#]*@)?([\w.:,\[\]-]+(?:/[\w.-]*)?)(?:\?[^@]*)?", rest)
    return f"{scheme}://{place[1] if place else '…'}"
