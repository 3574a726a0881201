"""AUDIT_SINK and AUDIT_SINK_CA: what is read, and what refuses to start."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.settings import Settings
from core.settings.audit_sinks import SinkAddress, parse
from tests.features.audit_forwarding.receivers import make_ca

ENTRIES = {
    "syslog+tls://logs.example.com:6514": SinkAddress("syslog+tls", "logs.example.com", 6514),
    "syslog+tls://logs": SinkAddress("syslog+tls", "logs", 6514),
    "syslog+udp://10.0.0.5": SinkAddress("syslog+udp", "10.0.0.5", 514),
    "syslog+udp://[::1]:5514": SinkAddress("syslog+udp", "::1", 5514),
    "stdout:ecs": SinkAddress("stdout:ecs"),
    "stdout:ocsf": SinkAddress("stdout:ocsf"),
}
WRONG = [
    "syslog",
    "stdout",
    "stdout:cef",
    "stderr:ecs",
    "stdout:ecs:",
    "syslog://logs:514",
    "syslog+tcp://logs:514",
    "https://logs.example.com",
    "syslog+tls://",
    "syslog+tls://:6514",
    "syslog+tls://logs:0",
    "syslog+tls://logs:65536",
    "syslog+tls://logs:port",
    "syslog+tls://logs:6514/path",
    "syslog+tls://logs:6514?x=1",
    "syslog+tls://logs:6514#x",
    "syslog+tls://user:hunter2@logs:6514",
    "syslog+tls://@logs:6514",
    "syslog+tls://-logs:6514",
    "syslog+tls://lo gs:6514",
    "syslog+tls://lo_gs\n:6514",
    "syslog+tls://1.2.3:6514",
    "syslog+udp://[::1:514",
]


def refused(**environment: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        Settings.from_environment(environment)
    sentence = str(error.value)
    assert sentence.splitlines() == [sentence]
    assert "hunter2" not in sentence
    return sentence


@pytest.mark.parametrize(("entry", "address"), ENTRIES.items())
def test_an_entry_is_read(entry: str, address: SinkAddress) -> None:
    assert parse(entry) == address
    assert parse(address.name) == address
    assert Settings.from_environment({"AUDIT_SINK": entry}).audit_sink == (entry,)


@pytest.mark.parametrize("entry", WRONG)
def test_an_entry_that_is_no_sink_refuses_to_start(entry: str) -> None:
    assert refused(AUDIT_SINK=entry).startswith("AUDIT_SINK: an entry is none of")
    assert refused(AUDIT_SINK=f"stdout:ecs,{entry}").startswith("AUDIT_SINK: an entry")


def test_sinks_that_do_not_go_together_refuse_to_start() -> None:
    assert "twice" in refused(AUDIT_SINK="syslog+tls://logs,syslog+tls://logs:6514")
    assert "one format" in refused(AUDIT_SINK="stdout:ecs,stdout:ocsf")


def test_a_ca_is_a_file_of_certificates_and_has_a_use(tmp_path: Path) -> None:
    ca, _ = make_ca(tmp_path / "ca")
    sink = "syslog+tls://logs:6514"
    found = Settings.from_environment({"AUDIT_SINK": sink, "AUDIT_SINK_CA": str(ca)})
    assert found.audit_sink_ca == ca
    assert "no sink" in refused(AUDIT_SINK="stdout:ecs", AUDIT_SINK_CA=str(ca))
    assert "no sink" in refused(AUDIT_SINK_CA=str(ca))
    (tmp_path / "noise.pem").write_text("nothing")
    for file in ("noise.pem", "nowhere.pem"):
        said = refused(AUDIT_SINK=sink, AUDIT_SINK_CA=str(tmp_path / file))
        assert "no readable file of PEM certificates" in said
