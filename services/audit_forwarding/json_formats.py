"""An audit row as a JSON document in Elastic Common Schema (ECS) or OCSF.

The JSON text is plain ASCII with every other character escaped, so an event is always one line.
"""

from __future__ import annotations

import ipaddress
import json
from datetime import datetime
from typing import Any

from core.clock import utc_text
from services.audit_forwarding.classification import (
    AUTHENTICATION,
    ENTITY_MANAGEMENT,
    PRODUCT,
    OcsfClass,
    classify,
)
from stores.outbox import EventRow

ECS_VERSION = "8.17.0"
OCSF_VERSION = "1.6.0"
UNKNOWN_USER = "unknown"


def ecs(row: EventRow) -> dict[str, Any]:
    """The row as an ECS document, without empty members."""
    classified = classify(row)
    users = [who for who in (row.user_email, row.subject_email) if who]
    ip = _ip(row.ip_address)
    return _filled(
        {
            "@timestamp": timestamp(row.created_at),
            "ecs": {"version": ECS_VERSION},
            "message": row.details,
            "event": {
                "id": row.id,
                "kind": classified.kind,
                "category": list(classified.category),
                "type": list(classified.type),
                "outcome": "success" if row.success else "failure",
                "action": row.event_type,
                "reason": row.reason,
                "sequence": row.position,
                "provider": PRODUCT,
                "dataset": "auth_example.audit",
            },
            "user": {"id": row.user_id, "email": row.user_email, "target": _target(row)},
            # Elasticsearch refuses a document whose `ip` is not an IP address.
            "source": {"address": row.ip_address, "ip": ip},
            "user_agent": {"original": row.user_agent},
            "http": {"request": {"id": row.request_id}},
            "service": {"name": PRODUCT},
            "related": {"user": list(dict.fromkeys(users)), "ip": [ip] if ip else []},
        }
    )


def _target(row: EventRow) -> dict[str, Any]:
    """The subject of the event, if the subject is not the actor."""
    if (row.subject_id, row.subject_email) == (row.user_id, row.user_email):
        return {}
    return {"id": row.subject_id, "email": row.subject_email}


def ocsf(row: EventRow) -> dict[str, Any]:
    """The row as an OCSF document, without empty members."""
    classified = classify(row)
    kind, (activity_id, activity), severity = (
        classified.ocsf,
        classified.activity,
        classified.severity,
    )
    return _filled(
        {
            "category_uid": kind.category_uid,
            "category_name": kind.category,
            "class_uid": kind.uid,
            "class_name": kind.name,
            "activity_id": activity_id,
            "activity_name": activity,
            "type_uid": kind.uid * 100 + activity_id,
            "type_name": f"{kind.name}: {activity}",
            "severity_id": severity[0],
            "severity": severity[1],
            "status_id": 1 if row.success else 2,
            "status": "Success" if row.success else "Failure",
            "status_detail": row.reason,
            "time": int(row.created_at.timestamp() * 1000),
            "message": row.details,
            "metadata": {
                "version": OCSF_VERSION,
                "product": {"name": PRODUCT, "vendor_name": PRODUCT},
                "uid": row.id,
                "event_code": row.event_type,
                "correlation_uid": row.request_id,
                "log_name": "audit_logs",
                "sequence": row.position,
            },
            "actor": {"user": _user(row.user_id, row.user_email)},
            "src_endpoint": {"ip": _ip(row.ip_address)},
            "http_request": {"uid": row.request_id, "user_agent": row.user_agent},
            **_about(row, kind),
        }
    )


def _about(row: EventRow, kind: OcsfClass) -> dict[str, Any]:
    """The subject of the event, under the member name of its OCSF class."""
    whom = {"uid": row.subject_id, "name": row.subject_email}
    if not any(whom.values()):
        # The schema requires `uid` or `name`; an unknown subject is named as such.
        whom["name"] = UNKNOWN_USER
    if kind is ENTITY_MANAGEMENT:
        return {"entity": {"type": "user", **whom}}
    about: dict[str, Any] = {"user": {**whom, "email_addr": row.subject_email}}
    if kind is AUTHENTICATION:
        about["service"] = {"name": PRODUCT}
        about["auth_protocol_id"], about["auth_protocol"] = 99, "WebAuthn"
    return about


def _user(uid: str | None, email: str | None) -> dict[str, Any]:
    return {"uid": uid, "name": email, "email_addr": email}


def line(document: dict[str, Any]) -> str:
    """The document as one line of ASCII, with its line feed."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")) + "\n"


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond (RFC 5424 §6.2.3 allows no more)."""
    return utc_text(moment, "microseconds")


def _ip(text: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(text or ""))
    except ValueError:
        return None


def _filled(document: dict[str, Any]) -> dict[str, Any]:
    """The document without empty members; numbers are kept, also 0."""
    found = {
        name: _filled(value) if isinstance(value, dict) else value
        for name, value in document.items()
    }
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}
