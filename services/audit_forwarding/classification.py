"""How each audit event is classified in syslog, ECS and OCSF: one table.

Sources: RFC 5424 §6.2.1 (severities); Elastic Common Schema 8.17, categorization fields; Open
Cybersecurity Schema Framework 1.6.0, category Identity & Access Management.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import audit
from stores.outbox import EventRow

PRODUCT = "Auth Example"


class OcsfClass(NamedTuple):
    """An event class of OCSF, with its category."""

    uid: int
    name: str
    category_uid: int = 3
    category: str = "Identity & Access Management"


ACCOUNT_CHANGE = OcsfClass(3001, "Account Change")
AUTHENTICATION = OcsfClass(3002, "Authentication")
ENTITY_MANAGEMENT = OcsfClass(3004, "Entity Management")
BASE_EVENT = OcsfClass(0, "Base Event", 0, "Uncategorized")

# activity_id, and activity_name: 99 lets the source choose the name.
CREATE, LOGON, PREAUTH, READ = (1, "Create"), (1, "Logon"), (6, "Preauth"), (2, "Read")

INFORMATIONAL, LOW, MEDIUM, HIGH = (
    (1, "Informational"),
    (2, "Low"),
    (3, "Medium"),
    (4, "High"),
)


class Syslog(NamedTuple):
    """Severities of RFC 5424."""

    critical: int = 2
    warning: int = 4
    notice: int = 5
    informational: int = 6


SYSLOG = Syslog()


class Classification(NamedTuple):
    """The classification of one kind of event in syslog, ECS and OCSF."""

    syslog_severity: int
    category: tuple[str, ...]
    type: tuple[str, ...]
    ocsf: OcsfClass
    activity: tuple[int, str]
    severity: tuple[int, str]
    kind: str = "event"


CLASSIFICATIONS: dict[type[audit.Event], Classification] = {
    audit.RegistrationBegun: Classification(
        SYSLOG.informational,
        ("iam",),
        ("user", "info"),
        ACCOUNT_CHANGE,
        (99, "Registration begun"),
        INFORMATIONAL,
    ),
    audit.RegistrationBeginRefused: Classification(
        SYSLOG.warning,
        ("iam",),
        ("user", "info"),
        ACCOUNT_CHANGE,
        (99, "Registration begun"),
        LOW,
    ),
    audit.RegistrationCompleted: Classification(
        SYSLOG.notice,
        ("iam",),
        ("user", "creation"),
        ACCOUNT_CHANGE,
        CREATE,
        INFORMATIONAL,
    ),
    audit.RegistrationRefused: Classification(
        SYSLOG.warning,
        ("iam",),
        ("user", "creation"),
        ACCOUNT_CHANGE,
        CREATE,
        LOW,
    ),
    audit.LoginBegun: Classification(
        SYSLOG.informational,
        ("authentication",),
        ("info",),
        AUTHENTICATION,
        PREAUTH,
        INFORMATIONAL,
    ),
    audit.LoginBeginRefused: Classification(
        SYSLOG.warning,
        ("authentication",),
        ("info",),
        AUTHENTICATION,
        PREAUTH,
        LOW,
    ),
    audit.LoginCompleted: Classification(
        SYSLOG.informational,
        ("authentication",),
        ("start",),
        AUTHENTICATION,
        LOGON,
        INFORMATIONAL,
    ),
    audit.LoginRefused: Classification(
        SYSLOG.warning,
        ("authentication",),
        ("start",),
        AUTHENTICATION,
        LOGON,
        LOW,
    ),
    audit.CloneSuspected: Classification(
        SYSLOG.critical,
        ("authentication", "intrusion_detection"),
        ("start", "denied"),
        AUTHENTICATION,
        LOGON,
        HIGH,
        kind="alert",
    ),
    audit.ProfileRead: Classification(
        SYSLOG.informational,
        ("api",),
        ("access", "allowed"),
        ENTITY_MANAGEMENT,
        READ,
        INFORMATIONAL,
    ),
    audit.ProfileRefused: Classification(
        SYSLOG.warning,
        ("api",),
        ("access", "denied"),
        ENTITY_MANAGEMENT,
        READ,
        LOW,
    ),
    audit.TokenRejected: Classification(
        SYSLOG.warning,
        ("authentication", "api"),
        ("info", "denied"),
        AUTHENTICATION,
        (99, "Access token check"),
        LOW,
    ),
    audit.RateLimited: Classification(
        SYSLOG.warning,
        ("api",),
        ("access", "denied"),
        AUTHENTICATION,
        (99, "Rate limit"),
        MEDIUM,
    ),
}

# For rows of a newer version of the service, and rows inserted by hand.
UNKNOWN = Classification(
    SYSLOG.notice,
    (),
    ("info",),
    BASE_EVENT,
    (99, "Unknown event"),
    INFORMATIONAL,
)


def _own_reason(event: type[audit.Event]) -> str | None:
    """The fixed reason of an event class, such as `possible_clone`; None if it varies."""
    (reason,) = (field for field in dataclasses.fields(event) if field.name == "reason")
    return reason.default if isinstance(reason.default, str) else None


_OF_ROW = {
    (event.event_type, event.success, _own_reason(event)): classification
    for event, classification in CLASSIFICATIONS.items()
}


def classify(row: EventRow) -> Classification:
    """The classification of `row`."""
    kind, success = row.event_type, bool(row.success)
    general = _OF_ROW.get((kind, success, None), UNKNOWN)
    return _OF_ROW.get((kind, success, row.reason), general)
