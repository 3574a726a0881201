"""Identifiers: their form, and that no two are the same."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.ids import TimeOrderedIds, is_uuid, random_id, time_ordered_id

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_random_ids_are_uuids_of_version_4() -> None:
    ids = [random_id() for _ in range(768)]
    assert len(set(ids)) == len(ids)
    assert {(str(UUID(each)) == each, UUID(each).version, UUID(each).variant) for each in ids} == {
        (True, 4, "specified in RFC 4122")
    }
    # 122 bits are random: each is 1 about as often as 0.
    ones = [sum(UUID(each).int >> bit & 1 for each in ids) for bit in range(128)]
    free = [count for bit, count in enumerate(ones) if bit not in (62, 63, *range(76, 80))]
    assert all(0.35 * len(ids) < count < 0.65 * len(ids) for count in free)


def test_time_ordered_ids_sort_in_the_order_in_which_they_were_made() -> None:
    """Also when the clock stands still, or is set back."""
    moments = [AT, AT, AT.replace(hour=11), AT.replace(hour=13), AT]
    ids = [time_ordered_id(moment) for moment in moments * 100]
    assert ids == sorted(set(ids))
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {
        (7, "specified in RFC 4122")
    }


def test_a_time_ordered_id_begins_with_its_time() -> None:
    """RFC 9562 §5.7: 48 bits of milliseconds since 1970; 74 of the other bits are random."""
    later = AT.replace(year=2040)
    made = TimeOrderedIds()
    ids = [made.next(later.replace(second=second)) for second in range(60)]
    assert [each.int >> 80 for each in ids] == [
        int(later.timestamp() * 1000) + 1000 * second for second in range(60)
    ]
    assert len({each.int & (1 << 62) - 1 for each in ids}) == 60


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_draws_ids_of_its_own() -> None:
    """Nothing random is kept in memory, where a fork would copy it."""
    random_id()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, random_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 36).decode() != random_id()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("8f14e45f-ceea-467f-a8f7-0d1b2c3d4e5f", True),
        ("8F14E45F-CEEA-467F-A8F7-0D1B2C3D4E5F", False),
        ("8f14e45fceea467fa8f70d1b2c3d4e5f", False),
        ("{8f14e45f-ceea-467f-a8f7-0d1b2c3d4e5f}", False),
        ("8f14e45f-ceea-467f-a8f7-0d1b2c3d4e5f\n", False),
        ("", False),
    ],
)
def test_only_the_spelling_that_is_written_here_is_accepted(text: str, is_one: bool) -> None:
    assert is_uuid(text) is is_one
