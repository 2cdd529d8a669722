"""People are rung beside Slack: once, in few words; a failure calls the next, and nobody waits for a provider that hangs."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from moto.backends import get_backend
from moto.server import ThreadedMotoServer

from bot.clients import ringing
from bot.clients.ringing import Phones
from bot.errors import Rejected, Unavailable
from bot.services.alert import inquiry, response
from bot.services.call import calling, media, wording
from bot.services.call.media import Ringing
from tests.call_stage import Calls, calls
from tests.fakes import KillAt, Killed
from tests.patience import PATIENCE_S
from tests.story import LEA

CARD = "4111111111111111"


class Provider:
    """Takes what Apprise posts as json://, and answers as it is told to."""

    def __init__(self) -> None:
        self.rings: list[dict[str, str]] = []
        self.heard = threading.Event()
        self.status, self.hangs_s = 200, 0.0
        outer = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.rings.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                if outer.hangs_s:
                    outer.heard.set()
                time.sleep(outer.hangs_s)
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/lea"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


class FakePhones:
    """A Ringer that remembers, and does as it is told."""

    def __init__(self, *faults: Exception | None) -> None:
        self.faults, self.rings = list(faults), list[tuple[str, str]]()

    def ring(self, address: str, title: str, text: str) -> None:
        self.rings.append((address, text))
        if self.faults and (fault := self.faults.pop(0)):
            raise fault


def ringing_of(night: Calls, phones: object) -> Ringing:
    return Ringing(night.night.desk, lambda name: f"sms://{name.lower()}", phones)


def ring(night: Calls, phones: object, door: Ringing | None = None) -> None:
    door = door or ringing_of(night, phones)
    door.act()
    door.rest()


def rung(night: Calls) -> list[tuple[str, str, str]]:
    return [(each.person, each.medium, each.state) for each in night.attempts() if each.contact is not None]


def test_who_is_called_is_rung_once(engine: sa.Engine) -> None:
    night, phones = calls(engine), FakePhones()
    night.alarm()
    ring(night, phones)
    ring(night, phones)
    assert phones.rings == [("sms://vigie_contact_lea", phones.rings[0][1])] and rung(night) == [("lea", "sms", "sent")]
    night.live(5)
    ring(night, phones)
    assert [address for address, _ in phones.rings] == ["sms://vigie_contact_lea", "sms://vigie_contact_omar"]


def test_a_ring_says_what_and_how_to_answer_in_160_characters_without_secrets(sqlite_engine: sa.Engine) -> None:
    night, phones = calls(sqlite_engine), FakePhones()
    night.alarm(title=f"payment {CARD} refused " + "and so on " * 40)
    ring(night, phones)
    (_, text), = phones.rings
    assert len(text) <= wording.LONGEST_RING and CARD not in text
    assert text.startswith("Vigie #1 pay-api: payment") and text.endswith("Answer in Slack: /vigie ack 1")


def test_what_is_not_important_rings_nobody(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.night.tell(key="batch", name="batch-slow", severity="warning", service="batch-worker")
    with night.night.desk.begin("test") as connection:
        calling.call(night.night.desk, connection, night.night.alert(), "it came back", night.night.clock.now(), "page:1:1")
    assert rung(night) == [] and night.timeline() == [(0, "lea")]


def test_a_refused_ring_calls_the_next_at_once(engine: sa.Engine) -> None:
    night, phones = calls(engine), FakePhones(Rejected("no such number"))
    night.alarm()
    ring(night, phones)
    night.live(0.5)
    assert night.timeline() == [(0, "lea"), (0, "omar")]
    assert rung(night)[0] == ("lea", "sms", "failed") and night.attempts()[2].why == "no such number"


def test_a_lost_answer_rings_once_more_and_says_so(engine: sa.Engine) -> None:
    night, phones = calls(engine), FakePhones(Unavailable("8 s"), None)
    night.alarm()
    door = ringing_of(night, phones)
    ring(night, phones, door)
    assert rung(night) == [("lea", "sms", "doubtful")]
    ring(night, phones, door)
    night.night.clock.advance(46)
    ring(night, phones, door)
    assert [text.startswith(wording.RING_AGAIN) for _, text in phones.rings] == [False, True]
    assert rung(night) == [("lea", "sms", "sent")]


def test_after_two_lost_answers_the_next_is_called(sqlite_engine: sa.Engine) -> None:
    night, phones = calls(sqlite_engine), FakePhones(Unavailable("8 s"), Unavailable("8 s"))
    night.alarm()
    door = ringing_of(night, phones)
    for _ in range(4):
        ring(night, phones, door)
        night.night.clock.advance(46)
    night.tick()
    assert len(phones.rings) == 2 and [who for _, who in night.timeline()] == ["lea", "omar"]


@pytest.mark.parametrize(("point", "rings"), [("ring: before", 1), ("ring: after", 2)])
def test_a_process_that_dies_while_it_rings_leaves_a_doubt_and_one_more_ring(sqlite_engine, point, rings) -> None:
    night, phones = calls(sqlite_engine), FakePhones()
    night.alarm()
    object.__setattr__(night.night.desk, "kill", KillAt(point))
    dying = ringing_of(night, phones)
    claimed = dying._claim(night.attempts()[2])
    with pytest.raises(Killed):
        dying._ring(claimed)
    object.__setattr__(night.night.desk, "kill", lambda name: None)
    for seconds in (0, 46, 46):
        night.night.clock.advance(seconds)
        ring(night, phones)
    assert len(phones.rings) == rings and rung(night) == [("lea", "sms", "sent")]
    assert phones.rings[-1][1].startswith(wording.RING_AGAIN)


def test_who_has_read_it_need_not_be_rung(sqlite_engine: sa.Engine) -> None:
    night, phones = calls(sqlite_engine), FakePhones()
    night.alarm()
    response.ack(night.night.desk, night.night.alert(), LEA)
    ring(night, phones)
    assert phones.rings == [] and rung(night) == [("lea", "contact", "seen")]


def test_a_provider_that_hangs_holds_up_nobody(sqlite_engine: sa.Engine) -> None:
    night, free, asked, in_vain = calls(sqlite_engine), threading.Event(), list[str](), list[bool]()

    class Hanging:
        def ring(self, address: str, title: str, text: str) -> None:
            asked.append(address)
            if "lea" in address:
                in_vain.append(not free.wait(PATIENCE_S))

    night.alarm()
    night.live(5)
    door = ringing_of(night, Hanging())
    assert door.act() == 2
    while ("omar", "sms", "sent") not in rung(night) and not in_vain:
        time.sleep(0.02)
    assert ("omar", "sms", "sent") in rung(night) and ("lea", "contact", "doubtful") in rung(night)
    assert in_vain == []
    free.set()
    door.rest()


def test_a_missing_address_is_a_failure_that_is_told(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()

    def unset(name: str) -> str:
        raise media.Misbuilt(f"{name} is not set")

    door = Ringing(night.night.desk, unset, FakePhones())
    door.act()
    door.rest()
    assert rung(night) == [("lea", "contact", "failed")]
    assert "VIGIE_CONTACT_LEA is not set" in night.night.told("person rung")[0]["why"]


def test_why_says_who_was_called_when_and_how(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    ring(night, FakePhones())
    night.show()
    night.live(5)
    told = inquiry.why(night.night.desk, night.night.alert())
    assert "*Called*" in told and "Léa (primary)" in told and "sms: sent" in told and "Omar (secondary)" in told


# --- real wires -------------------------------------------------------------------------------------------------------------


def test_apprise_posts_to_the_address_of_the_person(provider: Provider) -> None:
    Phones().ring(provider.address, "Vigie", "Vigie #1 pay-api: 5xx")
    assert provider.rings[0]["message"] == "Vigie #1 pay-api: 5xx"


def test_a_provider_that_refuses_and_one_that_is_slow_are_told_apart(provider: Provider, monkeypatch) -> None:
    provider.status = 500
    with pytest.raises(Rejected):
        Phones().ring(provider.address, "Vigie", "text")
    provider.hangs_s = 1
    monkeypatch.setattr(ringing, "READ_S", 0.2)
    with pytest.raises(Unavailable):
        Phones().ring(provider.address, "Vigie", "text")
    assert provider.heard.wait(PATIENCE_S), "it may read later than the caller waits"
    assert len(provider.rings) == 2


@pytest.mark.parametrize("address", ["nonsense", "nosuch://somewhere", "sns:0612345678", "sns:+33x"])
def test_an_address_that_is_none_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(Rejected) as refusal:
        Phones().ring(address, "Vigie", "text")
    assert address not in refusal.value.code


def test_amazon_sns_sends_the_sms(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_REGION": "eu-west-3",
                            "AWS_DEFAULT_REGION": "eu-west-3", "AWS_ACCESS_KEY_ID": "test",
                            "AWS_SECRET_ACCESS_KEY": "test"}.items():
            monkeypatch.setenv(name, value)
        Phones().ring("sns:+33612345678", "Vigie", "Vigie #1 pay-api: 5xx")
        backend = get_backend("sns")["123456789012"]["eu-west-3"]
        assert list(backend.sms_messages.values()) == [("+33612345678", "Vigie #1 pay-api: 5xx")]
    finally:
        server.stop()
