"""Compares the database with what was answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from assurance.soak.backends import Backend
from assurance.soak.clients import EVENTS, RequestLog, SentRequest

_ROWS = "SELECT request_id, event_type, success FROM audit_logs WHERE request_id LIKE '{}-%'"
_COUNTS = (
    "SELECT u.email, c.sign_count FROM users u JOIN webauthn_credentials c ON c.user_id = u.id"
)
_HALF_WRITTEN = {
    "users without a passkey": "SELECT count(*) FROM users u WHERE NOT EXISTS "
    "(SELECT 1 FROM webauthn_credentials c WHERE c.user_id = u.id)",
    "passkeys without a user": "SELECT count(*) FROM webauthn_credentials c WHERE NOT EXISTS "
    "(SELECT 1 FROM users u WHERE u.id = c.user_id)",
    "registrations on record without a user": "SELECT count(*) FROM audit_logs a "
    "WHERE event_type = 'registration_complete' AND success = 1 AND NOT EXISTS "
    "(SELECT 1 FROM users u WHERE u.id = a.user_id)",
}


def audited_events(backend: Backend, log: RequestLog) -> dict[str, list[tuple[str, int]]]:
    """The audited events of each request id: type and success."""
    found = defaultdict(list)
    for request_id, event_type, success in backend.rows(_ROWS.format(log.prefix)):
        found[request_id].append((event_type, success))
    return found


def inconsistencies(backend: Backend, log: RequestLog) -> list[str]:
    """Every answer that the rows contradict, and every row whose other half is missing."""
    events = audited_events(backend, log)
    counts = {row[0]: row[1] for row in backend.rows(_COUNTS)}
    found = [it for sent in log.sent for it in _of_one(sent, events[sent.request_id], counts)]
    for what, query in _HALF_WRITTEN.items():
        if number := backend.rows(query)[0][0]:
            found.append(f"{what}: {number}")
    return found


def _of_one(
    sent: SentRequest, events: list[tuple[str, int]], counts: dict[str, int]
) -> Iterator[str]:
    named, event = f"{sent.path} {sent.request_id} answered {sent.status}", EVENTS[sent.path]
    completes, refused = sent.path.endswith("/complete"), 400 <= sent.status < 500
    if len(events) > 1:
        yield f"{named}: {len(events)} rows"
    if sent.succeeded and events != [(event, 1)]:
        yield f"{named}: on record is {events}"
    if completes and refused and events != [(event, 0)]:
        yield f"{named}: on record is {events}"
    if completes and sent.succeeded and counts.get(sent.email or "", -1) < sent.sign_count:
        yield f"{named}: there is no such passkey with a count of {sent.sign_count}"
    if not sent.succeeded and "access_token" in str(sent.answer):
        yield f"{named}: with a token"


def unexpected_statuses(log: RequestLog, allowed: Collection[int]) -> list[str]:
    """Statuses that are not allowed: how often each was answered, with an example."""
    examples = {sent.status: sent for sent in log.sent if sent.status not in allowed}
    return [
        f"{log.statuses()[status]} times {status} ({sent.path}: {str(sent.answer)[:200]})"
        for status, sent in examples.items()
    ]
