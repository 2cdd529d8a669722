"""Takes the pictures of the README from a running demo: `make pictures`. Needs Chromium, and a minute."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
SPEED = "20"                    # fast enough for impatient people, slow enough to meet an alert while somebody is on it
PATIENCE_MS = 60_000
LARGEST = 250_000

NO_BROWSER = f"No Chromium found; install one of {', '.join(BROWSERS)}.\n"
NO_DEMO = "The demo did not start:\n{said}\n"
TAKEN = "{name}: {size:,} bytes\n"
TOO_LARGE = "{name} has {size:,} bytes; at most {most:,} are wanted in the repository.\n"

ALERTS, PAYMENTS = "C0ALERTS01", "C0PAYMNT01"
ERRORS, WRITTEN = "HTTPCode_Target_5XX_Count", "one target was out of memory"
FIRING, CERTIFICATE = "Padok-1 sees the fault", "The certificate of hooks"
MORE, CLOSE = "[data-action-id='vigie:more']", "Close…"


def main() -> None:
    """Plays the night once and takes each picture at its moment."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(NO_BROWSER)
    PICTURES.mkdir(exist_ok=True)
    with demo() as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        take(chromium, url)
        chromium.close()


@contextmanager
def demo() -> Iterator[str]:
    """A demo of our own, on a free port and in a folder that is thrown away; its address once it answers."""
    port = _free_port()
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "DEMO_PORT": str(port), "DEMO_SPEED": SPEED}
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


def take(browser: Browser, url: str) -> None:
    """The page with a thread, one card, one form."""
    page = _open(browser, f"{url}#as=U0ALICE001&c={PAYMENTS}")
    errors = page.locator("#messages article", has_text=ERRORS).first
    errors.get_by_role("button", name="1 reply").click(timeout=PATIENCE_MS)
    expect(page.locator("#thread")).to_contain_text(WRITTEN, timeout=PATIENCE_MS)
    page.mouse.move(5, 400)
    errors.scroll_into_view_if_needed()
    _keep(page.screenshot(), "page.png")
    page.get_by_role("button", name="Close the thread").click()
    _keep(_with_frame(page, page.locator("#messages article", has_text=FIRING).first), "card.png")
    page.locator(f"[data-channel={ALERTS}]").click()
    certificate = page.locator("#messages article", has_text=CERTIFICATE).first
    certificate.locator(MORE).click(timeout=PATIENCE_MS)
    page.get_by_role("menuitem", name=CLOSE).click()
    expect(page.locator("#modal")).to_be_visible(timeout=PATIENCE_MS)
    _keep(page.locator("#modal").screenshot(), "form.png")


def _open(browser: Browser, url: str) -> Page:
    context = browser.new_context(
        timezone_id="Europe/Paris", locale="en-GB", color_scheme="light", viewport={"width": 1240, "height": 720},
    )
    page = context.new_page()
    page.goto(url)
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
