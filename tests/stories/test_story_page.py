"""The demo as a person meets it: a real browser, a typed command, buttons, a form, another person, the thread."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.chromium import chromium, in_paris
from tests.processes import free_port, post, running, vigie

pytestmark = pytest.mark.browser


@dataclass
class Demo:
    """A running demo that plays nothing by itself, and a browser before it."""

    folder: Path
    url: str
    page: Page

    def send(self, title: str) -> None:
        body = json.dumps({"key": title, "state": "firing", "title": title, "service": "ledger"}).encode()
        headers = {"X-Vigie-Secret": "demo-bridge-generic"}
        assert post(f"{self.url}/webhooks/generic/bridge-generic", body, headers) == (200, '{"taken":1}')

    def open(self, person: str, channel: str = "C0ALERTS01") -> None:
        self.page.goto(f"{self.url}/workspace/#as={person}&c={channel}")
        self.page.reload()

    def card(self, title: str) -> Locator:
        return self.page.locator("#messages article").filter(has_text=title).filter(has=self.page.locator("button")).first

    def number(self, title: str) -> int:
        expect(self.card(title)).to_contain_text("#")
        return int(re.findall(r"#(\d+)", self.card(title).inner_text())[0])

    def say(self, line: str) -> None:
        self.page.locator("#composer").fill(line)
        self.page.locator("#composer").press("Enter")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    url = f"http://127.0.0.1:{port}"
    given = {"DEMO_PORT": str(port), "DEMO_SPEED": "0"}
    with running("demo", cwd=folder, given=given, ready=f"{url}/health/ready"), chromium() as browser:
        yield Demo(folder, url, in_paris(browser).new_page())


def test_an_engineer_types_a_command_and_the_card_says_who_has_it(demo: Demo) -> None:
    demo.open("U0LEA00001")
    demo.send("The ledger is 4 min behind")
    card = demo.card("The ledger is 4 min behind")
    expect(card).to_contain_text("Nobody has it yet.")
    demo.say(f"/vigie ack {demo.number('The ledger is 4 min behind')} looking")
    expect(card).to_contain_text("Acknowledged")
    expect(card).to_contain_text("Léa has it since")


def test_a_click_takes_an_alert_and_the_next_one_is_told_who_was_first(demo: Demo) -> None:
    demo.send("The ledger's disk is full")
    demo.open("U0LEA00001")
    card = demo.card("disk is full")
    card.get_by_role("button", name="Acknowledge").click()
    expect(card).to_contain_text("Léa has it since")
    demo.open("U0OMAR0001")
    demo.say(f"/vigie ack {demo.number('disk is full')}")
    expect(demo.page.locator("article.ephemeral")).to_contain_text("already acknowledged by Léa")


def test_a_form_closes_an_alert_and_says_beside_the_field_why_it_does_not_yet(demo: Demo) -> None:
    demo.send("The ledger's memory leaks")
    demo.open("U0LEA00001")
    card = demo.card("memory leaks")
    card.get_by_role("button", name="More actions").click()
    demo.page.get_by_role("menuitem", name="Close…").click()
    form = demo.page.locator("#modal")
    form.get_by_role("button", name="Close for good").click()
    expect(form.locator("[data-block-id=reason] .error")).to_contain_text("still sees the fault")
    form.get_by_role("textbox").fill("it was given more")
    form.get_by_role("button", name="Close for good").click()
    expect(form).to_have_count(0)
    expect(card).to_contain_text("it was given more")
    expect(card).to_contain_text("Closed by Léa")


def test_the_thread_tells_the_story_in_order_and_takes_a_mention(demo: Demo) -> None:
    demo.send("The ledger counts twice")
    demo.open("U0LEA00001")
    card = demo.card("counts twice")
    card.get_by_role("button", name="Acknowledge").click()
    card.get_by_role("button", name="1 reply").click()
    thread = demo.page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("acknowledged by Léa")
    demo.page.locator("#thread-composer").fill("@Vigie note the replica is rebuilt")
    demo.page.keyboard.press("Enter")
    told = re.compile("opened .* acknowledged by Léa.* Léa wrote: the replica is rebuilt", re.DOTALL)
    expect(thread).to_contain_text(told)


def test_a_stranger_is_refused_in_a_sentence(demo: Demo) -> None:
    demo.send("The ledger's processor is busy")
    demo.open("U0EVE00001")
    card = demo.card("processor is busy")
    card.get_by_role("button", name="Acknowledge").click()
    expect(demo.page.locator("article.ephemeral")).to_contain_text("Only visible to you")
    expect(card).to_contain_text("Nobody has it yet.")


def test_the_command_line_beside_the_demo_sends_and_tells_the_same(demo: Demo) -> None:
    said = demo.folder / "alert.json"
    said.write_text(json.dumps({"key": "sleeps", "state": "firing", "title": "The ledger sleeps", "service": "ledger"}))
    sent = vigie("send", str(said), "--endpoint", "bridge-generic", cwd=demo.folder)
    assert (sent.returncode, sent.stdout.strip()) == (0, '200 {"taken":1}'), sent.stderr
    status = json.loads(vigie("status", "--json", cwd=demo.folder).stdout)
    assert {each["name"]: each["state"] for each in status["alerts"]}["sleeps"] == "firing"
    assert vigie("audit", "verify", cwd=demo.folder).returncode == 0
