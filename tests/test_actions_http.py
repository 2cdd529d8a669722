"""What lies beside AWS and Datadog: probes of real servers, certificates of a real TLS server, waits, questions."""

import asyncio
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from runbooks.actions import Action, Failed, Look, Outcome, flow, http
from tests.datadog_stage import Checked, DatadogWorld, datadog_server, datadog_world
from tests.tls_stage import Hosts, authority, tls

__all__ = ["authority", "datadog_server", "datadog_world", "tls"]

PROBE, CERTIFICATE = http.SERVICE.actions
WAIT, ASK, REPORT = flow.SERVICE.actions


@dataclass
class Site:
    """A site of the customer's: what it answers, one after the other; the last one for ever."""

    url: str
    answers: list[int | str] = field(default_factory=lambda: [200])
    asked: int = 0

    async def answer(self, _request: Request) -> Response:
        self.asked += 1
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if said == "silence":
            await asyncio.sleep(0.5)
        if said == "away":
            return RedirectResponse("/elsewhere")
        return PlainTextResponse("all is well" if said == 200 else "sorry", said if isinstance(said, int) else 200)


@pytest.fixture
def site(datadog_server: tuple[Checked, str], datadog_world: DatadogWorld) -> Site:
    checked, url = datadog_server
    made = Site(f"{url}/health")
    checked.app = Starlette(routes=[Route("/health", made.answer)])
    return made


def played(world: DatadogWorld, action: Action[Any], **given: Any) -> tuple[Outcome, list[Look]]:
    """An act, and looks until there is an answer; what a look gives out, the next one is given."""
    params = action.params.model_validate(given)
    before = action.before(world, params)
    done = action.act(world, params, before)
    outputs, looks = dict(done.outputs), list[Look]()
    while (not looks or looks[-1].seen == "under way") and len(looks) < 20:
        world.forward(action.poll_s)
        looks.append(action.look(world, params, before, outputs))
        outputs |= looks[-1].outputs
    return done, looks


@pytest.mark.parametrize("action", [*http.SERVICE.actions, *flow.SERVICE.actions], ids=lambda each: each.name)
def test_every_action_beside_the_clouds_is_whole(action: Action[Any]) -> None:
    params = action.params.model_validate(action.example)
    assert action.help and action.verified and action.target(params) and action.plan(params, {})
    assert all(each.description for each in action.params.model_fields.values()) and not action.mutates
    assert bool(action.asks) == (action is ASK)


# --- probes ---


def test_a_probe_believes_after_several_good_answers_in_a_row(datadog_world: DatadogWorld, site: Site) -> None:
    site.answers = [200, 503, 200, 200, 200]
    done, looks = played(datadog_world, PROBE, url=site.url, contains="well", times=3)
    assert "answered 200 in" in done.said and done.outputs["in_a_row"] == 1
    assert [each.outputs["in_a_row"] for each in looks] == [0, 1, 2, 3] and site.asked == 5
    assert [each.seen for each in looks] == ["under way", "under way", "under way", "done"]
    assert looks[0].said == f"{site.url} answered 503 instead of 200"


def test_an_answer_without_the_text_is_not_well(datadog_world: DatadogWorld, site: Site) -> None:
    _, looks = played(datadog_world, PROBE, url=site.url, contains="very well", times=1)
    assert looks[-1].seen == "under way" and "without the text" in looks[-1].said


def test_silence_is_not_well(datadog_world: DatadogWorld, site: Site) -> None:
    site.answers = ["silence", 200]
    done, looks = played(datadog_world, PROBE, url=site.url, times=1, timeout_s=0.1)
    assert done.said == f"{site.url} did not answer within 0.1 s" and looks[-1].seen == "done"


def test_nobody_there_is_not_well(datadog_world: DatadogWorld) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        _, looks = played(datadog_world, PROBE, url=f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert looks[-1].seen == "under way"


def test_a_redirect_is_an_answer_and_is_not_followed(datadog_world: DatadogWorld, site: Site) -> None:
    site.answers = ["away"]
    _, looks = played(datadog_world, PROBE, url=site.url, times=1)
    assert looks[-1].said == f"{site.url} answered 307 instead of 200"
    assert played(datadog_world, PROBE, url=site.url, status=307, times=1)[1][-1].seen == "done"


@pytest.mark.parametrize(("url", "said"), [
    ("http://pay.example.com/health", "only https"),
    ("ftp://pay.example.com", "whole address"),
    ("https://", "whole address"),
    ("https://pay.example.com:99999/", "whole address"),
    ("https://pay example.com/", "whole address"),
    ("https://pay.example.com\\@evil.example/", "whole address"),
    ("https://admin:secret@pay.example.com/", "name or a password"),
    ("https://169.254.169.254/latest/meta-data/", "never asked"),
    ("https://[fe80::1]/", "never asked"),
    ("https://[fd00:ec2::254]/", "never asked"),
    ("https://[::ffff:169.254.169.254]/", "never asked"),
    ("https://[64:ff9b::a9fe:a9fe]/", "never asked"),
    ("https://100.100.100.200/", "never asked"),
    ("https://0.0.0.0/", "never asked"),
    ("http://[::ffff:169.254.169.254]/", "never asked"),
    ("https://2852039166/", "host's name"),
    ("https://0xa9.0xfe.0xa9.0xfe/", "host's name"),
    ("https://metadata.google.internal./", "never asked"),
])
def test_an_address_that_must_not_be_asked_is_told_before(url: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        PROBE.params.model_validate({"url": url})
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize("url", [
    "https://pay.example.com/health?deep=1", "https://10.0.3.7:8443/", "https://[2001:db8::1]/", "http://127.0.0.1:8080/",
    "http://localhost/", "http://[::1]:8080/", "https://127.0.0.1/", "https://xn--bcher-kva.example/",
])
def test_an_address_that_may_be_asked_is_taken(url: str) -> None:
    assert PROBE.params.model_validate({"url": url}).url == url


def test_a_name_that_leads_to_metadata_is_not_asked(datadog_world: DatadogWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_given: Any, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for action, given in ((PROBE, {"url": "https://innocent.example/"}), (CERTIFICATE, {"host": "innocent.example"})):
        with pytest.raises(Failed, match="never asked"):
            action.act(datadog_world, action.params.model_validate(given), {})


# --- certificates ---


@pytest.fixture
def today(datadog_world: DatadogWorld) -> DatadogWorld:
    """TLS knows only the real time."""
    datadog_world.clock.instant = datetime.now(UTC)
    return datadog_world


def certificate(world: DatadogWorld, port: int, at_least: int = 14) -> Look:
    params = CERTIFICATE.params.model_validate({"host": "127.0.0.1", "port": port, "at_least": at_least})
    return CERTIFICATE.look(world, params, {}, {})


def test_a_certificate_holds_long_enough_or_not(today: DatadogWorld, tls: Hosts) -> None:
    port = tls(timedelta(days=20, hours=1))
    seen = certificate(today, port)
    assert seen.seen == "done" and seen.outputs["days"] == 20 and "holds 20 days more" in seen.said
    assert certificate(today, port, at_least=21).seen == "under way"
    today.forward(7 * 86_400)
    assert certificate(today, port).seen == "under way"


@pytest.mark.parametrize(("left", "host", "why"), [
    (timedelta(days=-1), "127.0.0.1", "certificate has expired"), (timedelta(days=90), "pay.example.com", "mismatch"),
])
def test_a_certificate_that_nobody_trusts_proves_nothing(
        today: DatadogWorld, tls: Hosts, left: timedelta, host: str, why: str) -> None:
    seen = certificate(today, tls(left, host))
    assert seen.seen == "under way" and "not to be trusted" in seen.said and why in seen.said


def test_a_certificate_of_a_stranger_is_not_trusted(
        today: DatadogWorld, tls: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tls(timedelta(days=90))
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "not to be trusted" in certificate(today, port).said


def test_a_host_without_tls_shows_no_certificate(today: DatadogWorld, site: Site) -> None:
    port = int(site.url.split(":")[2].split("/")[0])
    assert "showed no certificate" in certificate(today, port).said
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert certificate(today, free.getsockname()[1]).seen == "under way"


# --- time and people ---


def test_a_wait_is_over_when_its_time_has_passed(datadog_world: DatadogWorld) -> None:
    params = WAIT.params.model_validate({"duration": "1h30m"})
    assert WAIT.plan(params, {}) == "would wait 1h30m"
    begun = WAIT.act(datadog_world, params, {})
    assert begun.said == "waits until 03:44:00 UTC"
    datadog_world.forward(5399)
    assert WAIT.look(datadog_world, params, {}, begun.outputs).seen == "under way"
    datadog_world.forward(1)
    assert WAIT.look(datadog_world, params, {}, begun.outputs) == Look("done", "has waited 1h30m")
    assert WAIT.look(datadog_world, params, {}, {}).seen == "not seen", "of a wait that was never written down nobody knows"


@pytest.mark.parametrize("duration", ["0s", "25h", "a while", "", 30])
def test_a_wait_is_between_a_second_and_a_day(duration: Any) -> None:
    with pytest.raises(ValidationError, match=r"from one second to a day|write a length of time"):
        WAIT.params.model_validate({"duration": duration})


def test_a_question_is_answered_by_a_person_before_it_is_called(datadog_world: DatadogWorld) -> None:
    params = ASK.params.model_validate({"question": "Does the bank confirm the outage?"})
    assert ASK.asks and ASK.plan(params, {}) == "Does the bank confirm the outage?"
    assert ASK.act(datadog_world, params, {}) == Outcome("answered with yes")
    assert ASK.look(datadog_world, params, {}, {}).seen == "done"


# --- pages ---


def test_what_was_found_is_written_on_a_page_that_says_who_wrote_it_and_when(datadog_world: DatadogWorld) -> None:
    params = REPORT.params.model_validate({"name": "bank-api-down.txt", "text": "Requests that failed: 412\n"})
    written = REPORT.act(datadog_world, params, {})
    assert REPORT.plan(params, {}) == "would write down what was found, as bank-api-down.txt"
    assert written.files[0].content.decode() == "vigie-run57-step2, 2026-11-22 02:14:00 UTC\n\nRequests that failed: 412\n"
    assert REPORT.look(datadog_world, params, {}, {}).seen == "done"
    with pytest.raises(ValidationError):
        REPORT.params.model_validate({"name": "../etc/passwd.txt", "text": "x"})
