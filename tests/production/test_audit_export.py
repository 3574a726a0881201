"""`python -m cli audit-export` on PostgreSQL."""

from __future__ import annotations

import pytest

from tests.cli.exporting import check_filters, check_unknown_reason, exporter, record_events
from tests.support.service import Service


def test_the_export_filters_on_postgresql_as_on_sqlite(
    service: Service, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record_events(service)
    export = exporter(database, capsys)
    check_filters(export)
    check_unknown_reason(export)
