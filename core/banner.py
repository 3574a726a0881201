"""What the service says when it starts."""

from __future__ import annotations

from core.settings import Settings
from core.settings.sources import redact_url


def banner(settings: Settings) -> str:
    """A few lines for whoever started it; loud if the development secret is in use."""
    address = settings.origin[0]
    lines = {
        "address": address,
        "API docs": f"{address}/docs",
        "RP ID": settings.rp_id,
        "origins": ", ".join(settings.origin),
        "database": redact_url(settings.database_url),
        "log file": str(settings.log_file),
    }
    text = "".join(f"  {name:<9} {value}\n" for name, value in lines.items())
    if settings.uses_development_secret:
        text += (
            "\n  !! The DEVELOPMENT SECRET signs the tokens: anyone can forge them.\n"
            "  !! Set JWT_SECRET before anyone but you uses this.\n"
        )
    return f"\n  {settings.rp_name}: passkey service\n{text}\n"
