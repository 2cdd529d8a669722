"""The workspace's page in a real browser: what a person sees, clicks and types, and what the page makes of it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.chromium import chromium, in_paris
from tests.page_stage import ALERTS, HOSTILE, MODAL, NOON, PAYMENTS, Stage, section, staged, words

LOST = "net::ERR_"       # Chromium writes a lost connection on the console by itself

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Stage, str]]:
    with staged() as stage:
        yield stage


@pytest.fixture
def stage(running: tuple[Stage, str]) -> Stage:
    running[0].reset()
    return running[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, running: tuple[Stage, str], stage: Stage) -> Iterator[Page]:
    """The page as Alice sees it in Paris; any error in its scripts fails the test."""
    context = in_paris(browser)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto(f"{running[1]}#as=U0ALICE001&c={ALERTS}")
    expect(page.locator("article").first).to_be_visible()
    yield page
    context.close()
    assert [fault for fault in faults if LOST not in fault] == []


def card(page: Page) -> Locator:
    return page.locator("#messages article").first


def test_a_card_reads_as_slack_would_draw_it(page: Page) -> None:
    expect(card(page)).to_contain_text("Firing · important")
    expect(card(page)).to_contain_text("since 11:50 (10 minutes ago)")
    expect(card(page).locator("strong", has_text="Firing")).to_be_visible()
    expect(card(page).get_by_role("img", name="red circle")).to_be_visible()
    expect(card(page).locator(".mention.person")).to_have_text("@lea")
    expect(card(page).get_by_role("link", name="the runbook")).to_have_attribute("href", "https://runbooks.example/5xx")
    expect(card(page).get_by_role("link", name="#payments")).to_be_visible()
    expect(card(page).locator("code")).to_have_text("pay-api")
    expect(card(page).locator(".badge")).to_have_text("APP")


def test_a_click_reaches_the_app_with_its_block_and_value(page: Page, stage: Stage) -> None:
    page.get_by_role("button", name="Acknowledge").click()
    assert stage.posted("click") == {
        "as": "U0ALICE001", "channel": ALERTS, "ts": f"{NOON - 600:.6f}",
        "block_id": "acts", "action_id": "ack", "value": "142"}


def test_closing_asks_first_and_says_exactly_what_will_happen(page: Page, stage: Stage) -> None:
    close = page.locator("[data-action-id=close]")
    close.click()
    dialog = page.get_by_role("dialog", name="Close #142?")
    expect(dialog).to_contain_text("Two of five observers still see the fault.")
    dialog.get_by_role("button", name="Leave it open").click()
    expect(dialog).to_have_count(0)
    expect(close).to_be_focused()
    assert stage.posts == []
    close.click()
    page.get_by_role("button", name="Close it").click()
    assert stage.posted("click")["action_id"] == "close"


def test_the_overflow_and_the_list_of_people_work_by_keyboard(page: Page, stage: Stage) -> None:
    page.get_by_role("button", name="More actions").press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert stage.posted("click")["selected_option"]["value"] == "snooze"
    stage.posts.clear()
    page.get_by_role("button", name="Assign to…").click()
    page.get_by_role("menuitem", name="Léa Bernard").click()
    assert stage.posted("click")["selected_user"] == "U0LEA00001"


def test_a_modal_keeps_what_was_written_until_it_is_accepted(page: Page, stage: Stage) -> None:
    stage.emit("U0ALICE001", type="view", view=MODAL)
    modal = page.locator("#modal")
    modal.get_by_label("Note").fill("watch p95")
    modal.get_by_role("button", name="Assign").click()
    expect(modal.locator("[data-block-id=person]")).to_contain_text("Please complete this required field")
    assert stage.posts == []
    stage.answers["submit"] = {"ok": True, "errors": {"person": "Léa is in blackout until 08:00"}}
    modal.get_by_label("Who").select_option("U0LEA00001")
    modal.get_by_role("button", name="Assign").click()
    expect(modal.locator("[data-block-id=person] .error")).to_have_text("Léa is in blackout until 08:00")
    expect(modal.get_by_label("Who")).to_be_focused()
    expect(modal.get_by_label("Note")).to_have_value("watch p95")
    assert stage.posted("submit")["values"] == {
        "person": {"value": {"type": "users_select", "selected_user": "U0LEA00001"}},
        "note": {"value": {"type": "plain_text_input", "value": "watch p95"}}}
    stage.answers["submit"] = {"ok": True}
    modal.get_by_role("button", name="Assign").click()
    expect(modal).to_have_count(0)


def test_a_modal_updated_by_the_app_keeps_its_fields_and_escape_dismisses_it(page: Page, stage: Stage) -> None:
    stage.emit("U0ALICE001", type="view", view=MODAL)
    page.locator("#modal").get_by_label("Note").fill("half a sentence")
    more = {**MODAL, "blocks": [section("Léa is on call until 08:00"), *MODAL["blocks"]]}
    stage.emit("U0ALICE001", type="view", view=more)
    expect(page.locator("#modal")).to_contain_text("Léa is on call")
    expect(page.locator("#modal").get_by_label("Note")).to_have_value("half a sentence")
    page.keyboard.press("Escape")
    expect(page.locator("#modal")).to_have_count(0)
    assert stage.posted("dismiss") == {"as": "U0ALICE001", "view_id": "V1"}


def test_a_half_typed_command_is_completed_and_sent_and_comes_back_with_the_arrow(page: Page, stage: Stage) -> None:
    composer = page.locator("#composer")
    composer.press_sequentially("/vi")
    composer.press("Tab")
    expect(page.locator("[role=option]")).to_have_count(3)
    composer.press_sequentially("ac")
    expect(page.locator("[role=option]")).to_have_text("ack <alert> [note]take an alert")
    composer.press("Enter")
    expect(composer).to_have_value("/vigie ack ")
    composer.press_sequentially("142 on it")
    composer.press("Enter")
    assert stage.posted("say") == {
        "as": "U0ALICE001", "channel": ALERTS, "text": "/vigie ack 142 on it", "thread": None}
    expect(composer).to_have_value("")
    composer.press("ArrowUp")
    expect(composer).to_have_value("/vigie ack 142 on it")


def test_a_line_that_is_refused_stays_in_the_composer(page: Page, stage: Stage) -> None:
    stage.answers["say"] = {"ok": False, "error": "/vigie is not a valid command"}
    page.locator("#composer").fill("/vigie status")
    page.locator("#composer").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="not a valid command")).to_be_visible()
    expect(page.locator("#composer")).to_have_value("/vigie status")


def test_each_channel_keeps_its_own_draft(page: Page) -> None:
    page.locator("#composer").fill("about the alerts")
    page.locator(f"[data-channel={PAYMENTS}]").click()
    expect(page.locator("#composer")).to_have_value("")
    page.locator(f"[data-channel={ALERTS}]").click()
    expect(page.locator("#composer")).to_have_value("about the alerts")


def test_one_may_act_as_an_outsider_and_the_address_remembers_it(page: Page) -> None:
    page.locator("#as").select_option("U0EVE00001")
    expect(page.locator("#as-note")).to_have_text("externalVendor")
    expect(page).to_have_url(page.url.split("#")[0] + f"#as=U0EVE00001&c={ALERTS}")
    page.reload()
    expect(page.locator("#as")).to_have_value("U0EVE00001")


def test_what_an_alert_says_can_neither_ping_nor_make_elements(page: Page, stage: Stage) -> None:
    escaped = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    stage.say(ALERTS, escaped, blocks=[section(escaped), {"type": "header", "text": words(HOSTILE)}])
    last = page.locator("#messages article").nth(1)
    expect(last.locator(".section")).to_contain_text(HOSTILE.replace("*", ""))
    expect(last.locator("h3")).to_contain_text("<!channel> <@U0ALICE001>")
    expect(last.locator(".mention, .card img, script")).to_have_count(0)


def test_only_web_addresses_become_links(page: Page, stage: Stage) -> None:
    stage.say(ALERTS, "<javascript:alert(1)|press here> and https://status.example/x.")
    last = page.locator("#messages article").nth(1)
    expect(last.get_by_role("link")).to_have_text("https://status.example/x")
    expect(last).to_contain_text("press here and")


def test_an_address_in_verbatim_text_stays_words_as_in_slack(page: Page, stage: Stage) -> None:
    said = section("https://evil.example is no link")
    stage.say(ALERTS, "evil", blocks=[{**said, "text": {**said["text"], "verbatim": True}}])
    last = page.locator("#messages article").nth(1)
    expect(last.locator(".section")).to_contain_text("https://evil.example is no link")
    expect(last.locator(".section").get_by_role("link")).to_have_count(0)


def test_a_thread_opens_beside_and_its_replies_go_there(page: Page, stage: Stage) -> None:
    page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.locator("article")).to_have_count(2)
    expect(thread).to_contain_text("step 1 of 4 done")
    page.locator("#thread-composer").fill("@vigie ack")
    page.keyboard.press("Enter")
    assert stage.posted("say")["thread"] == f"{NOON - 600:.6f}"
    page.keyboard.press("Escape")
    expect(thread).to_be_hidden()


def test_an_answer_for_one_person_says_so_and_can_be_put_away(page: Page, stage: Stage) -> None:
    stage.say(ALERTS, "Already acknowledged by Léa at 02:16.", ephemeral=True)
    answer = page.locator("article.ephemeral")
    expect(answer).to_contain_text("Only visible to you")
    answer.get_by_role("button", name="Dismiss").click()
    expect(answer).to_have_count(0)


def test_a_card_edited_in_place_leaves_the_reader_where_he_was(page: Page, stage: Stage) -> None:
    for number in range(40):
        stage.say(ALERTS, f"alert {number}")
    expect(page.locator("#messages article").last).to_contain_text("alert 39")
    page.locator("#messages").evaluate("pane => { pane.scrollTop = 400; }")
    reading = page.locator("#messages article").nth(15)
    before = reading.bounding_box()
    stage.messages[ALERTS][0] = {**stage.messages[ALERTS][0], "blocks": [section("line\n" * 30)]}
    stage.emit("U0ALICE001", type="message", channel=ALERTS, ts=stage.messages[ALERTS][0]["ts"])
    expect(card(page)).to_contain_text("line")
    after = reading.bounding_box()
    assert before and after and abs(after["y"] - before["y"]) < 1


def test_unread_messages_and_mentions_are_counted_beside_the_channel(page: Page) -> None:
    payments = page.get_by_role("button", name="payments, 3 unread, 1 mention")
    expect(payments.locator(".mentions")).to_have_text("1")
    payments.click()
    expect(page.locator("#channels [aria-current]")).to_have_text("#payments")
    page.locator(f"[data-channel={ALERTS}]").click()
    expect(page.get_by_role("button", name="payments", exact=True)).to_be_visible()


def test_who_goes_through_a_channel_faster_than_it_is_fetched_has_read_it(page: Page, stage: Stage) -> None:
    for number in range(3):
        stage.messages[PAYMENTS].append(stage.message(NOON + number, f"paid {number}"))
    stage.emit("U0ALICE001", type="message", channel=ALERTS, ts="1.0")
    held: list[Route] = []
    page.route("**/page/messages*", lambda route: held.append(route))
    page.locator(f"[data-channel={ALERTS}]").click()
    page.locator(f"[data-channel={PAYMENTS}]").click()
    page.locator(f"[data-channel={ALERTS}]").click()
    expect(page.get_by_role("button", name="payments", exact=True)).to_be_visible()
    with page.expect_response(lambda answer: f"channel={PAYMENTS}" in answer.url):
        for route in held:
            route.continue_()
    page.unroute("**/page/messages*")
    expect(card(page)).to_contain_text("Firing · important")
    assert stage.unread[PAYMENTS] == (0, 0)
    expect(page.get_by_role("separator", name="New")).to_have_count(0)


def test_a_permalink_opens_its_channel_here_and_shows_the_message(page: Page, stage: Stage) -> None:
    address = f"{page.url.split('#')[0]}archives/{ALERTS}/p{NOON - 600}000000"
    stage.say(PAYMENTS, f"see <{address}|the card>")
    page.locator(f"[data-channel={PAYMENTS}]").click()
    page.get_by_role("link", name="the card").click()
    expect(page.locator("#channels [aria-current]")).to_contain_text("alerts")
    expect(card(page)).to_have_class("message pointed")


def test_a_page_that_lost_its_workspace_says_so_and_catches_up(page: Page, stage: Stage) -> None:
    page.route("**/page/*", lambda route: route.abort())
    stage.hang_up("U0ALICE001")
    expect(page.locator("#offline")).to_have_text("Connection lost. Trying again…")
    stage.say(ALERTS, "said meanwhile")
    page.unroute("**/page/*")
    expect(page.locator("#messages")).to_contain_text("said meanwhile")
    expect(page.locator("#offline")).to_be_hidden()
