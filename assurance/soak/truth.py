"""What the database says, held against what was answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from assurance.soak.backends import Backend
from assurance.soak.clients import EVENTS, Ledger, Sent

_ROWS = "SELECT request_id, event_type, success FROM audit_logs WHERE request_id LIKE '{}-%'"
_COUNTS = (
    "SELECT u.email, c.sign_count FROM users u JOIN webauthn_credentials c ON c.user_id = u.id"
)
_HALF = {
    "users without a passkey": "SELECT count(*) FROM users u WHERE NOT EXISTS "
    "(SELECT 1 FROM webauthn_credentials c WHERE c.user_id = u.id)",
    "passkeys without a user": "SELECT count(*) FROM webauthn_credentials c WHERE NOT EXISTS "
    "(SELECT 1 FROM users u WHERE u.id = c.user_id)",
    "registrations on record without a user": "SELECT count(*) FROM audit_logs a "
    "WHERE event_type = 'registration_complete' AND success = 1 AND NOT EXISTS "
    "(SELECT 1 FROM users u WHERE u.id = a.user_id)",
}


def on_record(backend: Backend, ledger: Ledger) -> dict[str, list[tuple[str, int]]]:
    """By request id, the events that the trail has for it: type and success."""
    found = defaultdict(list)
    for request_id, event_type, success in backend.rows(_ROWS.format(ledger.prefix)):
        found[request_id].append((event_type, success))
    return found


def lies(backend: Backend, ledger: Ledger) -> list[str]:
    """Every answer that the rows do not bear out, and every row that is half of something."""
    kept = on_record(backend, ledger)
    counts = {row[0]: row[1] for row in backend.rows(_COUNTS)}
    found = [lie for sent in ledger.sent for lie in _lies_of(sent, kept[sent.request_id], counts)]
    found += (f"{what}: {number}" for what in _HALF if (number := backend.rows(_HALF[what])[0][0]))
    return found


def _lies_of(sent: Sent, events: list[tuple[str, int]], counts: dict[str, int]) -> Iterator[str]:
    named, event = f"{sent.path} {sent.request_id} answered {sent.status}", EVENTS[sent.path]
    ended, refused = sent.path.endswith("/complete"), 400 <= sent.status < 500
    if len(events) > 1:
        yield f"{named}: {len(events)} rows"
    if sent.succeeded and events != [(event, 1)]:
        yield f"{named}: on record is {events}"
    if ended and refused and events != [(event, 0)]:
        yield f"{named}: on record is {events}"
    if ended and sent.succeeded and counts.get(sent.email or "", -1) < sent.sign_count:
        yield f"{named}: there is no such passkey with a count of {sent.sign_count}"
    if not sent.succeeded and "access_token" in str(sent.answer):
        yield f"{named}: with a token"


def strangers(ledger: Ledger, allowed: Collection[int]) -> list[str]:
    """Statuses that should not have been answered, with an example of each."""
    examples = {sent.status: sent for sent in ledger.sent if sent.status not in allowed}
    counted = Counter(sent.status for sent in ledger.sent)
    return [
        f"{counted[status]} times {status} ({sent.path}: {str(sent.answer)[:200]})"
        for status, sent in examples.items()
    ]
