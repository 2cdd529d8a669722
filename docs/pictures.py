"""Takes the pictures of the README from a running demo: `make pictures`. Needs Chromium, and a minute."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
SPEED, STILL = "20", "0"        # of the night that repairs itself; of one in which only we do something
PATIENCE_MS = 240_000           # a quiet minute must pass before anything is closed
LARGEST = 250_000
WIDE, TALL = ViewportSize(width=1240, height=720), ViewportSize(width=1240, height=960)

NO_BROWSER = f"No Chromium found; install one of {', '.join(BROWSERS)}.\n"
NO_DEMO = "The demo did not start:\n{said}\n"
TAKEN = "{name}: {size:,} bytes\n"
TOO_LARGE = "{name} has {size:,} bytes; at most {most:,} are wanted in the repository.\n"

PAYMENTS, REVIEW = "C0PAYMNT01", "C0REVIEW01"
LEA, ALICE, PAUL, INES, OMAR = "U0LEA00001", "U0ALICE001", "U0PAUL0001", "U0INES0001", "U0OMAR0001"
REPAIRED, DATABASE = "UnHealthyHostCount", "DatabaseConnections"
CLOSED, WELL, ASKED, RUN = "Closed by Vigie", "Went well", "Approval wanted", "Run runbook…"
BY_VIGIE, BY_OMAR = "asked by Vigie", "asked by Omar"
CONFIRM, FAIL_OVER = "/vigie mandate nights confirm", "/vigie run rds-failover"


def main() -> None:
    """Plays a night that repairs itself and one in which we ask for something, and takes each picture at its moment."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(NO_BROWSER)
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        for speed, take in ((STILL, take_question), (SPEED, take_repair)):
            with demo(speed) as url:
                take(chromium, url)
        chromium.close()


@contextmanager
def demo(speed: str) -> Iterator[str]:
    """A demo of our own, on a free port and in a folder that is thrown away; its address once it answers."""
    port = _free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "DEMO_PORT": str(port), "DEMO_SPEED": speed}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bot", "demo"]
        running = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
        try:
            _until_it_speaks(running)
            yield f"http://127.0.0.1:{port}/workspace/"
        finally:
            running.terminate()
            running.wait(20)


def _until_it_speaks(running: subprocess.Popen[str]) -> None:
    """The demo prints its address when the port is open."""
    assert running.stdout
    said = ""
    for line in running.stdout:
        said += line
        if "http://" in line:
            return
    sys.exit(NO_DEMO.format(said=said))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def take_question(browser: Browser, url: str) -> None:
    """Omar wants to fail the database over: Inès is asked, and Paul, who is asleep, has said yes beforehand."""
    page = _open(browser, url, INES, PAYMENTS)
    for person, channel, line in ((PAUL, REVIEW, CONFIRM), (INES, REVIEW, CONFIRM), (OMAR, PAYMENTS, FAIL_OVER)):
        page.request.post(f"{url}page/say", data={"as": person, "channel": channel, "text": line})
    _open_thread(page.locator("#messages article", has_text=BY_OMAR).first)
    question = page.locator("#thread-messages article", has_text=ASKED).first
    expect(question).to_be_visible(timeout=PATIENCE_MS)
    _keep(question.screenshot(), "question.png")


def take_repair(browser: Browser, url: str) -> None:
    """A form; then what Vigie repaired, proved and closed by itself: the card, and the page with its thread."""
    _take_form(_open(browser, url, LEA, PAYMENTS))
    page = _open(browser, url, ALICE, PAYMENTS)
    repaired = page.locator("#messages article", has_text=REPAIRED).first
    expect(repaired).to_contain_text(CLOSED, timeout=PATIENCE_MS)
    _keep(_with_frame(page, repaired), "card.png")
    _open_thread(repaired)
    run = page.locator("#thread-messages article", has_text=BY_VIGIE).first
    expect(run).to_contain_text(WELL, timeout=PATIENCE_MS)
    run.evaluate("message => message.scrollIntoView()")
    repaired.evaluate("message => message.scrollIntoView()")
    page.mouse.move(5, 400)
    _keep(page.screenshot(), "page.png")


def _take_form(page: Page) -> None:
    """Of somebody who may run it: those who sleep are told so instead."""
    page.set_viewport_size(TALL)
    page.locator("#messages article", has_text=DATABASE).first.get_by_role("button", name=RUN).click(timeout=PATIENCE_MS)
    expect(page.locator("#modal")).to_be_visible(timeout=PATIENCE_MS)
    _keep(page.locator("#modal").screenshot(), "form.png")
    page.close()


def _open_thread(message: Locator) -> None:
    message.get_by_role("button", name=re.compile(r"\d repl(y|ies)")).click(timeout=PATIENCE_MS)


def _open(browser: Browser, url: str, person: str, channel: str) -> Page:
    context = browser.new_context(
        timezone_id="Europe/Paris", locale="en-GB", color_scheme="light", viewport=WIDE,
    )
    page = context.new_page()
    page.goto(f"{url}#as={person}&c={channel}")
    return page


def _with_frame(page: Page, card: Locator) -> bytes:
    """The card alone, as wide as its words."""
    card.scroll_into_view_if_needed()
    page.mouse.move(5, 400)
    box = card.bounding_box()
    assert box
    return page.screenshot(clip={"x": box["x"], "y": box["y"], "width": min(box["width"], 860), "height": box["height"]})


def _keep(picture: bytes, name: str) -> None:
    (PICTURES / name).write_bytes(picture)
    if len(picture) > LARGEST:
        sys.exit(TOO_LARGE.format(name=name, size=len(picture), most=LARGEST))
    sys.stdout.write(TAKEN.format(name=name, size=len(picture)))


if __name__ == "__main__":
    main()
