"""A part of `make fuzz` in every test run, and proof that the fuzzer finds planted faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

import audit
import core.errors
import core.relying_party.authenticator_data
from assurance.fuzz import oracle_cbor, runner
from assurance.fuzz.__main__ import main
from assurance.fuzz.mutators_http import CONTROL
from assurance.fuzz.report import Report
from assurance.fuzz.runner import CPU_LIMIT_SECONDS, MUTATORS
from assurance.support.server_process import temporary_folder
from tests.support.service import Service

SEED = 20261123
SLICE = 5_000
ENOUGH_TO_SEE = 600
RUN_TIMEOUT_SECONDS = 1200


@pytest.fixture
def fuzzed_service() -> Iterator[Service]:
    with temporary_folder() as folder, Service(folder, danger_rate_limits_off=True) as service:
        yield service


def fuzz(service: Service, count: int) -> Report:
    return service.run(runner.fuzz(service, SEED, range(count)), seconds=RUN_TIMEOUT_SECONDS)


def test_no_mutant_of_a_genuine_request_violates_anything(fuzzed_service: Service) -> None:
    report = fuzz(fuzzed_service, SLICE)
    assert report.findings == [], str(report)
    assert report.count == SLICE
    tried = report.by_mutator()
    assert set(tried) == {mutator.name for mutator in MUTATORS}, "some were never tried"
    assert report.totals["equivalent"] > SLICE / 10, "hardly any mutant was accepted"
    assert tried[CONTROL]["equivalent"] > 0


def test_the_fuzzer_sees_a_credential_that_should_have_been_refused(
    fuzzed_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core.relying_party.authenticator_data, "BS", 0)
    report = fuzz(fuzzed_service, ENOUGH_TO_SEE)
    assert any(what.endswith("was accepted: backed up, not eligible") for what in whats(report))


def test_the_fuzzer_sees_an_attempt_that_is_not_on_record(
    fuzzed_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = audit.record

    def forgetful(tx: Any, caller: Any, event: audit.Event) -> None:
        if not isinstance(event, audit.LoginRefused):
            record(tx, caller, event)

    monkeypatch.setattr(audit, "record", forgetful)
    report = fuzz(fuzzed_service, ENOUGH_TO_SEE)
    assert any(what.startswith("no audit row: login_complete") for what in whats(report))


def test_the_fuzzer_sees_an_error_that_echoes(
    fuzzed_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Chatty(core.errors.ApiError):
        status, code, detail = 409, "registration_not_possible", "zqmarkzq is taken"

    monkeypatch.setattr(core.errors, "InvalidCredentials", Chatty)
    assert "an error that echoes what was sent" in whats(fuzz(fuzzed_service, ENOUGH_TO_SEE))


def test_the_fuzzer_sees_what_costs_too_much(
    fuzzed_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = audit.record

    def slow(tx: Any, caller: Any, event: audit.Event) -> None:
        until = time.thread_time() + 1.5 * CPU_LIMIT_SECONDS
        while time.thread_time() < until:
            pass
        record(tx, caller, event)

    monkeypatch.setattr(audit, "record", slow)
    assert any("ms of CPU time" in what for what in whats(fuzz(fuzzed_service, 10)))


def test_the_command_line_runs_several_processes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "60", "--jobs", "2"]) == 0
    assert "60 mutants" in capsys.readouterr().out


def whats(report: Report) -> set[str]:
    return {finding.what for finding in report.findings}


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("c100", id="a tag"),
        pytest.param("9fff", id="an indefinite length"),
        pytest.param("1817", id="a number in too many bytes"),
        pytest.param("0000", id="trailing bytes"),
        pytest.param("a201000100", id="a key twice"),
        pytest.param("a1f500", id="a key that is true"),
        pytest.param("81818181818100", id="nested too deeply"),
        pytest.param("4200", id="cut short"),
        pytest.param("61ff", id="text that is not UTF-8"),
        pytest.param("e0", id="an unknown simple value"),
        pytest.param("", id="nothing"),
    ],
)
def test_the_judge_reads_cbor_strictly(encoded: str) -> None:
    with pytest.raises(oracle_cbor.Malformed):
        oracle_cbor.only_item(bytes.fromhex(encoded))


def test_the_judge_reads_what_authenticators_write() -> None:
    assert oracle_cbor.only_item(bytes.fromhex("a3010220266161824200fff5")) == {
        1: 2,
        -1: -7,
        "a": [b"\x00\xff", True],
    }
