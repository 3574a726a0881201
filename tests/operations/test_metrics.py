"""/metrics: what was decided and how long it took, without a word about persons."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from devtools.authenticator import OMIT, Flaw, SoftAuthenticator
from devtools.encoding import from_b64url
from devtools.options import creation_options
from routes.edge.request_metrics import BUCKETS
from tests.conftest import StartService
from tests.operations.scraped import Scrape, scrape
from tests.support.app_log import until
from tests.support.clock import HeldClock
from tests.support.service import JANE, Service, person

CEREMONIES = "passkeys_ceremonies_total"
REFUSALS = "passkeys_refusals_total"
DURATION = "passkeys_request_duration_seconds"
SUCCESS = {"outcome": "success"}


def test_it_is_the_text_format_of_prometheus(service: Service) -> None:
    answer = service.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert Scrape(answer.text).families


def test_ceremonies_and_reads_are_counted_as_in_the_audit_trail(
    service: Service, device: SoftAuthenticator
) -> None:
    user = service.register(device)
    token = service.login(device)
    service.login(device)
    service.get(f"/users/{user['id']}", token)
    service.get("/users/someone-else", token)
    after = scrape(service)
    for row in {(row["event_type"], row["success"]) for row in service.audit()}:
        kind, success = row
        labels = {"kind": kind, "outcome": "success" if success else "refused"}
        expected = sum(1 for each in service.audit(kind) if each["success"] == success)
        assert after.value(CEREMONIES, **labels) == expected
    assert len(service.audit()) == 8


def test_every_ceremony_is_there_before_it_happens(service: Service) -> None:
    """A rate over a missing series has no value, so that no alert could see the first event."""
    text = service.get("/metrics").text
    for kind in ("registration_begin", "registration_complete", "login_complete"):
        for outcome in ("success", "refused"):
            assert f'{CEREMONIES}{{kind="{kind}",outcome="{outcome}"}}' in text
    assert f'{CEREMONIES}{{kind="login_begin",outcome="success"}}' in text


def counts(service: Service) -> dict[str, float]:
    """The counters of decisions by series; durations and gauges are not compared."""
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in service.get("/metrics").text.splitlines()
        if line.startswith((CEREMONIES, REFUSALS, "passkeys_rate_limited", f"{DURATION}_count"))
    }


FLAWS = {
    "a bad signature": Flaw(flip_signature_bit=True),
    "a bad origin": Flaw(origin="https://evil.example"),
    "no user handle": Flaw(user_handle=OMIT),
    "no user verification": Flaw(uv=False),
}


@pytest.mark.parametrize("flaw", FLAWS.values(), ids=FLAWS)
@pytest.mark.parametrize("named", [True, False])
def test_the_counters_do_not_tell_who_is_registered(
    service: Service, named: bool, flaw: Flaw
) -> None:
    """D1: a stranger begins for an email, answers with the id that was offered, and registers it.
    What is counted meanwhile is the same for a known and for an unknown email."""
    service.register(SoftAuthenticator())
    seen = []
    for number, email in enumerate((JANE["email"], "nobody@example.com")):
        before = counts(service)
        offered = from_b64url(service.begin_login(email)["allowCredentials"][0]["id"])
        stranger = SoftAuthenticator()
        stranger.create(creation_options())
        claim = dataclasses.replace(flaw, credential_id=offered, ignores_options=True)
        options = service.begin_login(email if named else None)
        service.complete_login(email if named else None, stranger.get(options, flaw=claim))
        thief = person(f"thief{number}")
        credential = stranger.create(
            service.begin_registration(thief), flaw=Flaw(credential_id=offered)
        )
        service.complete_registration(thief["email"], credential)
        after = counts(service)
        seen.append({name: value - before.get(name, 0) for name, value in after.items()})
    known, unknown = ({name: n for name, n in each.items() if n} for each in seen)
    assert known == unknown
    assert len(known) > 5


def test_refusals_are_counted_by_their_reason(service: Service, device: SoftAuthenticator) -> None:
    before = scrape(service)
    service.register(device)
    service.try_login(device, flaw=Flaw(origin="https://evil.example"))
    service.get("/users/1", "no token")
    after = scrape(service)
    token_reason = service.last_audit("token_rejected")["reason"]
    # "origin" in the trail: the counters do not tell it from an unknown credential.
    for kind, reason in (("login_complete", "credential"), ("token_rejected", token_reason)):
        labels = {"kind": kind, "reason": reason}
        assert after.value(REFUSALS, **labels) - before.value(REFUSALS, **labels) == 1


def test_two_applications_in_one_process_share_no_counter_and_no_listener(
    tmp_path: Path, device: SoftAuthenticator
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Service(tmp_path / "one") as one, Service(tmp_path / "two") as two:
        one.register(device)
        one.post("/login/begin", {"email": "nobody@example.com"})
        labels = {"kind": "registration_complete", **SUCCESS}
        assert [scrape(each).value(CEREMONIES, **labels) for each in (one, two)] == [1, 0]
        counts = f"{DURATION}_count"
        begins = {"route": "/register/begin", "status": "2xx"}
        assert [scrape(each).value(counts, **begins) for each in (one, two)] == [1, 0]
        first, second = (each.parts.db.listeners for each in (one, two))
        assert not {*first} & {*second}


def test_what_was_not_made_durable_is_not_counted(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr("stores.audit_logs.add", full)
        assert service.post("/login/begin", {}).status_code >= 500
    labels = {"kind": "login_begin", **SUCCESS}
    assert scrape(service).value(CEREMONIES, **labels) == 0


def test_every_request_over_a_limit_is_counted(start_service: StartService) -> None:
    """The audit trail has one row per window: only the counter tells how many requests."""
    service = start_service(clock=HeldClock(), rate_limit_email=3)
    for _ in range(10):
        service.post("/login/begin", {"email": JANE["email"]})
    found = scrape(service)
    labels = {"action": "login_begin", "limit": "email"}
    assert found.value("passkeys_rate_limited_total", **labels) == 7
    assert len(service.audit("rate_limited")) == 1


def test_durations_go_by_the_template_of_the_route(
    service: Service, device: SoftAuthenticator
) -> None:
    user = service.register(device)
    token = service.login(device)
    for _ in range(3):
        service.get(f"/users/{user['id']}", token)
    found = scrape(service)
    labels = {"route": "/users/{user_id}", "status": "2xx"}
    assert found.value(f"{DURATION}_count", **labels) == 3
    assert found.value(f"{DURATION}_bucket", le="+Inf", **labels) == 3
    counts = [found.value(f"{DURATION}_bucket", le=str(bound), **labels) for bound in BUCKETS]
    assert counts == sorted(counts)
    assert 0 < found.value(f"{DURATION}_sum", **labels) < 60


def test_no_path_makes_a_series_of_its_own(service: Service) -> None:
    """A scanner that tries a thousand paths must not create a thousand series."""
    for number in range(50):
        service.get(f"/admin{number}.php")
        service.get(f"/static/{number}.js")
        service.get(f"/users/{number}")
        service.request(f"VERB{number}", "/login/begin")
    service.get("/static/js/main.js")
    routes = {value for name, value in scrape(service).labels() if name == "route"}
    assert routes == {"unmatched", "/static", "/users/{user_id}", "/login/begin"}


def test_no_label_says_who(service: Service, device: SoftAuthenticator) -> None:
    """G: e-mails, ids and addresses are for the audit trail only, which has its own readers."""
    user = service.register(device)
    token = service.login(device)
    service.get(f"/users/{user['id']}", token, headers={"X-Request-ID": "trace-me"})
    service.get(f"/users/{JANE['email']}", token)
    service.post("/login/begin", {"email": "nobody@example.com"})
    text = service.get("/metrics").text
    for secret in (user["id"], "@", "Doe", "127.0.0.1", token, "trace-me"):
        assert secret not in text


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "x-forwarded-for"])
def test_a_request_through_a_proxy_gets_404(service: Service, header: str) -> None:
    """Behind a proxy that does not block the path: the counts could tell who has an account."""
    answer, nothing = (
        service.get(path, headers={header: "203.0.113.7"}) for path in ("/metrics", "/nothing")
    )
    assert answer.status_code == nothing.status_code == 404
    expected = {**nothing.json(), "request_id": answer.json()["request_id"]}
    assert answer.json() == expected


def test_the_openapi_document_does_not_have_it(service: Service) -> None:
    assert "/metrics" not in service.get("/openapi.json").json()["paths"]


def test_the_writer_counts_waiting_units_and_shared_commits(service: Service) -> None:
    """One unit blocks the writer. The units that come meanwhile wait, and then share a commit."""
    started, held = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        started.set()
        held.wait(20)

    before = scrape(service)
    db, run = service.parts.db, service.run
    threads = [threading.Thread(target=lambda unit=unit: run(db.write(unit))) for unit in (hold,)]
    threads += [threading.Thread(target=lambda: run(db.write(id))) for _ in range(5)]
    threads[0].start()
    assert started.wait(20)
    for thread in threads[1:]:
        thread.start()
    until(lambda: scrape(service).value("passkeys_writer_queue_length") == 5)
    held.set()
    for thread in threads:
        thread.join(20)
    after = scrape(service)
    for name, expected in (("batches", 2), ("units", 6)):
        total = f"passkeys_writer_{name}_total"
        assert after.value(total) - before.value(total) == expected
    assert after.value("passkeys_writer_queue_length") == 0


def test_waiting_challenges_and_lost_lines_are_shown(service: Service) -> None:
    for _ in range(4):
        service.post("/login/begin", {})
    service.parts.log_file.handler.lines_lost = 7
    found = scrape(service)
    assert found.value("passkeys_challenges_waiting") == 4
    assert found.value("passkeys_log_lines_lost_total") == 7
