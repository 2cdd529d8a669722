"""The report in a real browser: read, sorted, printed, on a phone, without a script, and behind its signed link."""

import gzip
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from bot.review import Review
from bot.review.forms import audience, charts, page
from bot.services.review import links
from bot.services.review.composing import compose
from tests.chromium import PATIENCE_MS, chromium, in_paris
from tests.patience import PATIENCE_S
from tests.review_stage import facts, group, past
from tests.stage import Stage, example_config, staged

HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
DIGEST = "ab" * 32
CSS = (Path(page.__file__).parent / "page.css").read_text()
READABLE = 4.5                  # the contrast that AA wants of words
ADDRESS = "https://vigie.example.com"


def month() -> Review:
    """October with sixty alerts, one of them hostile, after a September that is known."""
    groups = [
        group(each, f"2026-10-{1 + each % 28:02} 02:{each % 60:02}", title=HOSTILE if each == 7 else "pay-api: 5xx",
              pattern=f"p{each % 4}", **({"acked_min": each, "resolved_min": each * 2} if each % 3 else {}))
        for each in range(1, 61)
    ]
    return audience.shown_to(compose(facts(groups, before=past(volume=80, mtta_median_s=90)), 1), None)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shown = month()
    path = tmp_path_factory.mktemp("report") / "vigie-2026-10-v1.html"
    path.write_text(page.html(shown, DIGEST, charts.draw(charts.of(shown), "svg")))
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def report(browser: Browser, file: Path) -> Iterator[Page]:
    """The file as it lies on somebody's disk: any fault, and any call to a network, fails the test."""
    context = in_paris(browser)
    opened, faults = context.new_page(), []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text))
    opened.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None)
    opened.goto(file.as_uri())
    yield opened
    context.close()
    assert faults == []


@pytest.mark.browser
def test_it_reads_as_a_report_with_landmarks_names_and_a_contents(report: Page) -> None:
    expect(report).to_have_title("October 2026, Bridge × Padok: monthly review of alerts")
    expect(report.locator("html")).to_have_attribute("lang", "en")
    expect(report.get_by_role("heading", level=1)).to_have_text("October 2026")
    expect(report.get_by_role("navigation", name="Contents").get_by_role("link", name="Response times")).to_be_visible()
    for landmark in ("main", "banner", "contentinfo"):
        expect(report.get_by_role(landmark)).to_have_count(1)  # type: ignore[arg-type]
    bare = "table:not(:has(> caption)), th:not([scope]), img:not([alt]), img[alt=''], [role=region]:not([aria-label])"
    expect(report.locator(bare)).to_have_count(0)
    assert report.evaluate("new Set([...document.querySelectorAll('[id]')].map(each => each.id)).size") == \
        report.evaluate("document.querySelectorAll('[id]').length")


@pytest.mark.browser
def test_every_number_leads_to_its_list_and_every_name_to_its_definition(report: Page) -> None:
    assert report.evaluate("""[...document.querySelectorAll('a[href^="#"]')].map(each => each.hash)
        .filter(each => !document.getElementById(each.slice(1)))""") == []
    assert report.evaluate("document.querySelectorAll('.figures tbody th:not(:has(a))').length") == 0
    assert report.evaluate("document.querySelectorAll('.figures td.value:not(:has(a))').length") == 0
    alerts = report.locator("#figure-summary-volume")
    expect(alerts).to_contain_text("▼ 25 % less than in September (80) (better)")
    alerts.get_by_role("link", name="60").click()
    expect(report.locator("#list-volume")).to_be_in_viewport()
    expect(report.locator("#list-volume .list")).to_be_visible()
    alerts.get_by_role("link", name="Alerts").click()
    expect(report.locator("#definition-volume")).to_be_in_viewport()


@pytest.mark.browser
def test_a_long_list_is_folded_until_somebody_wants_it(browser: Browser, file: Path) -> None:
    for script in (True, False):
        context = browser.new_context(java_script_enabled=script)
        opened = context.new_page()
        opened.goto(file.as_uri())
        listed = opened.locator("#list-resolved")
        expect(listed.locator("summary")).to_contain_text("40 in all")
        expect(listed.locator("td").first).to_be_hidden()
        opened.locator("#figure-responses-mttr_mean_s td.value a").click()
        expect(listed.locator("td").first).to_be_visible()
        context.close()


@pytest.mark.browser
def test_a_list_sorts_by_size_both_ways_by_mouse_and_by_keyboard(report: Page) -> None:
    report.evaluate("document.querySelectorAll('.sheet').forEach(each => { each.open = true })")
    listed = report.locator("[role=region][aria-label='Acknowledged alerts'] table, #list-acknowledged .list table").first
    head = listed.locator("thead th.num").first
    column = head.evaluate("each => each.cellIndex")
    values = f"table => [...table.tBodies[0].rows].map(row => row.cells[{column}]).map(v => Number(v.dataset.v ?? v.textContent))"
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    rising = listed.evaluate(values)
    assert rising == sorted(rising) and len(set(rising)) > 10
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert listed.evaluate(values) == sorted(rising, reverse=True)


@pytest.mark.browser
def test_what_an_alert_says_stays_words(report: Page) -> None:
    expect(report.get_by_text(HOSTILE).first).to_be_attached()
    assert report.evaluate("document.querySelectorAll('script, img[src=x]').length") == 1


@pytest.mark.browser
def test_without_a_script_everything_is_there(browser: Browser, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    opened.goto(file.as_uri())
    expect(opened.locator("#list-resolved .list").first.locator("tbody tr")).to_have_count(40)
    expect(opened.locator("figure img").first).to_be_visible()
    context.close()


@pytest.mark.browser
def test_on_a_phone_nothing_stands_beyond_its_edge(browser: Browser, file: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    opened.goto(file.as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


@pytest.mark.browser
def test_on_paper_no_list_is_cut_off_at_its_edge_and_a_long_one_says_how_it_goes_on(report: Page) -> None:
    report.locator("#list-resolved summary").click()
    report.set_viewport_size({"width": 673, "height": 980})         # A4 between its margins
    report.emulate_media(media="print")
    assert report.evaluate("document.documentElement.scrollWidth") <= 673
    shown = report.locator("#list-resolved .list").first
    expect(shown.locator("tbody tr:visible")).to_have_count(page.PRINTED)
    expect(report.locator("#list-resolved").get_by_text("Printed: the first 25 of 40;")).to_be_visible()
    expect(report.get_by_role("navigation")).to_be_hidden()
    assert report.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def luminance(colour: str) -> float:
    full = colour if len(colour) == 7 else "#" + "".join(each * 2 for each in colour[1:])
    parts = [int(full[each:each + 2], 16) / 255 for each in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1])
def test_words_can_be_read_by_day_and_by_night(scheme: int) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", re.findall(r":root \{(.*?)\}", CSS, re.S)[scheme]))
    for ground in ("paper", "faint", "note", "mark"):
        for ink in ("ink", "soft", "link", "good", "bad"):
            light, dark = sorted((luminance(colours[ground]), luminance(colours[ink])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= READABLE, f"{ink} on {ground}"


# --- behind its link --------------------------------------------------------------------------------------------------------


@pytest.fixture
def stage(sqlite_engine: sa.Engine) -> Iterator[Stage]:
    with staged(sqlite_engine, example_config().model_copy(update={"public_url": ADDRESS})) as made:
        yield made


def address(stage: Stage, month: str = "2026-10", side: str | None = None, person: str | None = None) -> str:
    """A link as it would be posted, to where this Vigie listens."""
    made = links.link(stage.app.desk, month, 0, side, stage.clock.now(), person)
    assert made is not None
    return made.replace(ADDRESS, stage.url)


def get(url: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=PATIENCE_S) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, dict(refusal.headers), refusal.read()


def test_each_form_is_behind_the_link_and_reading_is_written_down(stage: Stage) -> None:
    url = address(stage, side="bridge", person="marie")
    status, headers, body = get(url)
    assert status == 200 and b"October 2026" in body and b"Made for Bridge" in body
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "noindex" in headers["x-robots-tag"] and "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    forms = {each: get(f"{url}&format={each}") for each in ("pdf", "csv", "json")}
    assert [each[0] for each in forms.values()] == [200, 200, 200]
    assert forms["pdf"][2].startswith(b"%PDF") and forms["csv"][2].startswith(b"PK")
    assert json.loads(forms["json"][2])["month"] == "2026-10"
    assert 'filename="vigie-2026-10-' in forms["pdf"][1]["content-disposition"]
    assert get(url.replace("/2026-10?", "/2026-10.pdf?"))[1]["content-type"] == "application/pdf"
    read = stage.entries("review read")
    told = [json.loads(each.details) if isinstance(each.details, str) else each.details for each in read]
    assert [each["form"] for each in told] == ["html", "pdf", "csv", "json", "pdf"]
    assert {(each["made_for"], each["audience"]) for each in told} == {("marie", "bridge")}


def test_a_browser_gets_the_page_packed(stage: Stage) -> None:
    asked = urllib.request.Request(address(stage), headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
        packed = answer.read()
    assert answer.headers["Content-Encoding"] == "gzip" and int(answer.headers["Content-Length"]) == len(packed)
    assert b"October 2026" in gzip.decompress(packed)


def test_a_link_that_is_over_or_not_ours_says_how_to_get_one_that_works(stage: Stage) -> None:
    url = address(stage)
    assert get(url, "HEAD")[::2] == (200, b"") and get(url, "POST")[0] == 405
    assert get(f"{url}&format=docx")[0] == 404
    for wrong in (url[:-3], url.replace("2026-10", "2026-09", 1), url.partition("?")[0]):
        status, headers, body = get(wrong)
        assert status == 403 and b"Ask for a new one" in body and headers["cache-control"] == "no-store"
    stage.clock.advance(seconds=timedelta(days=8).total_seconds())
    status, _, body = get(url)
    assert status == 403 and b"This link is over" in body and b"/vigie review 2026-10" in body
    assert stage.entries("review read") == []


@pytest.mark.browser
def test_the_browser_lets_the_page_do_all_that_it_needs_and_nothing_else(stage: Stage, browser: Browser) -> None:
    context = in_paris(browser)
    opened, faults = context.new_page(), []
    opened.on("console", lambda said: faults.append(said.text))
    opened.goto(address(stage))
    expect(opened.get_by_role("heading", level=1)).to_have_text("October 2026")
    expect(opened.locator("thead [role=button]").first).to_be_attached()         # the script ran
    assert opened.evaluate("getComputedStyle(document.body).maxWidth") == "992px"       # the style counts
    expect(opened.get_by_role("link", name="PDF", exact=True)).to_be_visible()
    context.close()
    assert faults == []


