"""What must not come in, and what comes in although it is strange: a status, a sentence, a count; never a 500."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.doubles import cloudwatch
from bot.sending import post
from tests.stage import ALERTS, ALICE, Stage, shown, staged

SYNTHETIC = Path(__file__).parents[3] / "shared" / "payloads" / "synthetic"
GOOD = {"key": "ledger/lag", "state": "firing", "title": "the ledger is behind", "service": "ledger"}
OWN = {"Content-Type": "application/json", "X-Vigie-Secret": "demo-bridge-generic"}


def alarm(stage: Stage, **changed: Any) -> bytes:
    message = json.dumps(cloudwatch.alarm("ledger-lag", "ALARM", "ledger", stage.clock.now()))
    return json.dumps(stage.envelope(message, **changed)).encode()


Bytes = Callable[[Stage], bytes]
DROPPED: list[tuple[str, str, Bytes, dict[str, str], int, str, str]] = [
    ("wrong signature", "bridge-cloudwatch", lambda stage: alarm(stage, Subject="changed on the way"), {},
     403, "bad_signature", ""),
    ("foreign topic", "bridge-cloudwatch", lambda stage: alarm(stage, topic="arn:aws:sns:eu-west-3:999999999999:theirs"), {},
     403, "foreign_topic", "not among the endpoint's topics"),
    ("replayed", "bridge-cloudwatch", lambda stage: alarm(stage, at=stage.clock.now() - timedelta(hours=2)), {},
     403, "replayed", "older than an hour"),
    ("no envelope", "bridge-cloudwatch", lambda _: b"hello", {}, 403, "", ""),
    ("no secret", "bridge-generic", lambda _: json.dumps(GOOD).encode(), {}, 401, "bad_secret", "missing or wrong"),
    ("wrong secret", "bridge-generic", lambda _: json.dumps(GOOD).encode(), {"X-Vigie-Secret": "demo-padok-datadog"},
     401, "bad_secret", "missing or wrong"),
    ("oversized", "bridge-generic", lambda _: b"[" + b" " * 2_100_000 + b"]", OWN, 413, "too_large", "larger than"),
    ("no such endpoint", "nobody", lambda _: b"{}", OWN, 404, "unknown_endpoint", "There is no endpoint generic/nobody"),
]


def test_what_must_not_come_in_is_refused_with_a_sentence_and_counted(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        for name, endpoint, make, headers, status, reason, sentence in DROPPED:
            before = sum(stage.status()["dropped"].values())
            answer = stage.post(endpoint, make(stage), headers)
            said = json.loads(answer[1])
            assert answer[0] == status, (name, answer)
            assert said["reason"] == reason or not reason, (name, said)
            assert sentence in said["error"] and said["error"].endswith("."), (name, said)
            assert sum(stage.status()["dropped"].values()) == before + 1, name
        assert stage.alerts() == []
        assert stage.status()["dropped"]["bad_secret"] == 2


def test_a_slack_request_that_slack_did_not_sign_is_refused_and_counted(sqlite_engine: sa.Engine) -> None:
    with staged(sqlite_engine) as stage:
        stamp = str(int(stage.clock.now().timestamp()))
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=00"}
        answer = stage.wait(post(f"{stage.url}/slack/events", b"command=%2Fvigie&text=close+1", signed))
        assert answer[0] == 401
        assert stage.status()["dropped"] == {"bad_signature": 1}


STRANGE: list[tuple[str, bytes, dict[str, str], str]] = [
    ("not json", b"the probe was restarted by hand", {}, "is not JSON"),
    ("empty", b"", {}, "is empty"),
    ("deeply nested", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {}, "nested deeper"),
    ("a key twice", b'{"key": "a", "key": "b", "state": "firing", "title": "t"}', {}, "twice"),
    ("a list", b"[1, 2]", {}, "One alert was expected"),
    ("no title", b'{"key": "k", "state": "firing"}', {}, "title"),
    ("a state nobody knows", b'{"key": "k", "state": "sad", "title": "t"}', {}, "firing, recovered or no data"),
    ("a huge number", b'{"key": "k", "state": "firing", "title": "t", "at": 1' + b"0" * 6_000 + b"}", {}, ""),
    ("binary", bytes(range(256)), {}, ""),
]


def test_what_is_authentic_and_makes_no_sense_becomes_an_alert_that_says_why(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        for number, (name, body, headers, why) in enumerate(STRANGE, 1):
            answer = stage.post("bridge-generic", body, {**OWN, **headers})
            assert answer[0] == 200, (name, answer)
            assert stage.status()["unreadable"] == number, name
            assert why in newest(stage, "summary"), (name, newest(stage, "summary"))
            stage.say(ALICE, ALERTS, f"/vigie close {number} read it")
        stage.until(lambda: "Could not read what bridge-generic sent" in "".join(map(shown, stage.messages(ALERTS))))
        assert stage.status()["dropped"] == {}


def newest(stage: Stage, column: str) -> str:
    with stage.app.desk.read() as connection:
        return str(connection.execute(sa.text(f"SELECT {column} FROM alert ORDER BY id DESC LIMIT 1")).scalar_one())


READABLE: list[tuple[str, bytes, dict[str, str], str]] = [
    ("byte order mark", b"\xef\xbb\xbf" + json.dumps({**GOOD, "key": "bom"}).encode(), {}, "ledger is behind"),
    ("utf-16", json.dumps({**GOOD, "key": "utf16"}).encode("utf-16"), {}, "ledger is behind"),
    ("latin-1", '{"key": "latin", "state": "firing", "title": "café fermé"}'.encode("latin-1"), {}, "café fermé"),
    ("nan", b'{"key": "nan", "state": "firing", "title": "not a number", "value": NaN, "more": [Infinity, -1e999]}', {},
     "not a number"),
    ("form", b"key=form&state=firing&title=from+a+form", {"Content-Type": "application/x-www-form-urlencoded"}, "from a form"),
    ("form with a payload", b"payload=%7B%22key%22%3A%22p%22%2C%22state%22%3A%22firing%22%2C%22title%22%3A%22paid+load%22%7D",
     {"Content-Type": "application/x-www-form-urlencoded"}, "paid load"),
    ("nul and control signs", b'{"key": "nul", "state": "firing", "title": "a\\u0000b \\u202e c"}', {}, "ab  c"),
]


def test_what_is_only_written_oddly_is_understood(engine: sa.Engine) -> None:
    with staged(engine) as stage:
        for name, body, headers, title in READABLE:
            assert stage.post("bridge-generic", body, {**OWN, **headers})[0] == 200, name
            assert newest(stage, "title").endswith(title), (name, newest(stage, "title"))
        assert stage.status()["unreadable"] == 0
        assert len(stage.alerts()) == len(READABLE)


def test_markup_in_an_alarm_calls_nobody_and_links_nowhere(engine: sa.Engine) -> None:
    poison = "<!channel> <!here> <@U0ALICE001> <!subteam^S1> <https://evil.example|pay here> @channel & *bold*"
    with staged(engine) as stage:
        said = {"key": poison, "state": "firing", "title": poison, "summary": poison, "observer": poison,
                "labels": {poison: poison}, "service": "ledger", "link": "https://evil.example/|<!channel>"}
        assert stage.send("bridge-generic", said)[0] == 200
        card = stage.card(ALERTS, "pay here")
        for line in ("ack 1 <!channel> @channel <@U0BRUNO001>", "note 1 <!here>", "show 1", "why 1", "status"):
            stage.say(ALICE, ALERTS, f"/vigie {line}")
        stage.until(lambda: "here" in "".join(stage.thread(ALERTS, card["ts"])))
        assert stage.pinged() == set()
        assert "<http" not in shown(stage.card(ALERTS, "pay here"))


@pytest.mark.skipif(not SYNTHETIC.exists(), reason="the payload corpus is not beside the repository")
def test_the_corpus_alarm_full_of_markup_calls_nobody(sqlite_engine: sa.Engine) -> None:
    with staged(sqlite_engine) as stage:
        message = json.loads((SYNTHETIC / "sns_markup_injection.json").read_text())["Message"]
        assert stage.send("bridge-cloudwatch", message)[0] == 200
        assert "&lt;!channel&gt;" in shown(stage.card(ALERTS, "db-cpu"))
        assert stage.pinged() == set()
