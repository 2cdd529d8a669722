"""Logs: one JSON line an event, masked, with what it is about; libraries speak only when something is wrong."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot.logs import configure


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_an_event_is_one_json_line_with_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    structlog.contextvars.bind_contextvars(request="r-1")
    structlog.get_logger().warning("delivery refused", endpoint="bridge-generic", reason="bad_secret")
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["request"]) == ("delivery refused", "warning", "r-1")
    assert (said["endpoint"], said["reason"]) == ("bridge-generic", "bad_secret")
    assert said["timestamp"].endswith("Z")


def test_a_card_number_never_reaches_the_log_not_even_in_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info")
    log = structlog.get_logger()
    log.info("taken", title="declined 4111 1111 1111 1111")
    try:
        raise ValueError("pay to FR7630006000011234567890189 with 4111111111111111")
    except ValueError:
        log.exception("broken")
    logging.getLogger("a.library").error("token xoxb-123456789012-abcdefghijkl for 4111-1111-1111-1111")
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 3 and all(json.loads(line) for line in said.splitlines())
    for secret in ("4111 1111", "411111111111", "4111-1111", "FR763000600001", "abcdefghijkl"):
        assert secret not in said, secret


def test_below_the_level_nothing_is_said_and_libraries_only_say_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("apscheduler.scheduler").warning("missed by 0:00:01")
    logging.getLogger("botocore.hooks").info("chatter")
    logging.getLogger("slack_bolt").error("wrong")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["wrong"]
