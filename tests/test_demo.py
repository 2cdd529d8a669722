"""The demo: one command, one address, a night that plays by itself, a clean stage at each start."""

import json
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from bot.config import load_config
from bot.demo import STAGE, demo_secrets, set_stage
from bot.errors import Misbuilt
from tests.processes import ROOT, free_port, post, running, vigie


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vigie("status", "--json", cwd=folder).stdout)
    return found


@pytest.mark.timeout(120)
def test_the_night_plays_from_every_source_and_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {"DEMO_PORT": str(port), "DEMO_SPEED": "500"}
    with running("demo", cwd=tmp_path, given=given, ready=f"{url}/health/ready") as process:
        with urllib.request.urlopen(f"{url}/", timeout=10) as page:
            assert page.url == f"{url}/workspace/" and b"<html" in page.read()
        for _ in range(20):
            night = status(tmp_path)
            if {source for each in night["alerts"] for source in each["sources"]} >= {"cloudwatch", "eventbridge"}:
                break
            time.sleep(0.3)
        time.sleep(1)
        night = status(tmp_path)
        told = {source for each in night["alerts"] for source in each["sources"]}
        assert told == {"cloudwatch", "datadog", "alertmanager", "eventbridge"}
        assert night["unreadable"] == 1 and night["dropped"] == {}
        assert {"lea"} <= {each["acked_by"] for each in night["alerts"]}

        second = vigie("demo", cwd=tmp_path, given=given)
        assert second.returncode == 1 and f"DEMO_PORT={port + 1}" in second.stderr, second.stderr
        assert status(tmp_path)["alerts"], "a start that was refused swept the stage of the demo that runs"

        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    said = (tmp_path / "demo.log").read_text()
    assert f"Open  {url}/" in said and "Traceback" not in said, said


@pytest.mark.timeout(120)
def test_at_speed_0_it_is_silent_and_a_second_start_finds_a_clean_stage(tmp_path: Path) -> None:
    port = free_port()
    given, url = {"DEMO_PORT": str(port), "DEMO_SPEED": "0"}, f"http://127.0.0.1:{port}"
    for _ in range(2):
        with running("demo", cwd=tmp_path, given=given, ready=f"{url}/health/ready") as process:
            assert status(tmp_path)["alerts"] == []
            body = json.dumps({"key": "k", "state": "firing", "title": "it fails"}).encode()
            assert post(f"{url}/webhooks/generic/bridge-generic", body, {"X-Vigie-Secret": "demo-bridge-generic"})[0] == 200
            process.terminate()
            assert process.wait(20) == 0


def test_a_number_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DEMO_PORT", "DEMO_SPEED"):
        with pytest.raises(Misbuilt, match=f"{name}=fast is not a .*: leave it out"):
            set_stage({name: "fast"})
    assert not STAGE.exists()


def test_every_endpoint_of_the_example_has_its_demo_secret() -> None:
    config = load_config(ROOT / "bot" / "vigie.example.yaml")
    given = demo_secrets(config)
    for name, endpoint in config.endpoints.items():
        assert [given[each] for each in endpoint.secrets] == [f"demo-{name}"] * len(endpoint.secrets)
