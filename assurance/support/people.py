"""Registration forms of invented people."""

from __future__ import annotations

from typing import Any


def registration_form(name: str, **fields: Any) -> dict[str, Any]:
    """A valid body for /register/begin with the email `name`@example.com; `fields` replace its
    members."""
    return {
        "first_name": name.title(),
        "last_name": "Doe",
        "email": f"{name}@example.com",
        "date_of_birth": "1990-01-15",
        "job_title": "Engineer",
        **fields,
    }
