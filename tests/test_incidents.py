"""Incidents: declared about an alert, described, ended; two who declare at once; the card, the timeline, the post-mortem."""

import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.services.incident import declaring, recovery
from bot.services.incident.declaring import Wish
from bot.services.slack import cards as drawing
from bot.store import alerts, cards, incidents
from tests.duty_stage import LEA, Life, life, paris
from tests.incident_stage import MAJOR, fires, incident, reporting
from tests.story import ALICE


def impacts(here: Life, number: int = 1) -> list[tuple[str, str, str | None, float]]:
    with here.desk.read() as connection:
        return [(each.service, f"{each.start:%H:%M}", f"{each.end:%H:%M}" if each.end else None, each.share)
                for each in incidents.impacts(connection, number)]


def papers(here: Life) -> list[dict[str, str]]:
    with here.desk.read() as connection:
        query = sa.select(cards.post.c.body).where(cards.post.c.kind == "paper").order_by(cards.post.c.id)
        return [json.loads(each) for each in connection.execute(query).scalars()]


def card(here: Life, number: int = 1) -> str:
    with here.desk.read() as connection:
        post = cards.by_key(connection, f"incident:{number}")
        assert post is not None
        drawn = drawing.draw(here.desk, connection, post)
    return json.dumps(drawn.blocks, ensure_ascii=False)


# --- declaring --------------------------------------------------------------------------------------------------------------


def test_an_outage_counts_its_service_as_down_since_its_first_trace(engine: sa.Engine) -> None:
    here = reporting(engine)
    number = fires(here, minutes_ago=6)
    answer = here.say("alice", f"incident {number}")
    assert answer.startswith("Incident 1 is declared: outage, since Tue 24 Nov 09:54 (Paris time). pay-api counts as down")
    assert "Next: `/vigie classify 1`" in answer
    assert impacts(here) == [("pay-api", "08:54", None, 1.0)]
    [entry] = here.entries("incident declared")
    assert entry.object == "incident:1" and json.loads(entry.details)["alerts"] == [number]
    assert [each.object for each in here.entries("alert in incident")] == [f"alert:{number}"]


def test_of_an_alert_that_is_over_it_says_how_to_end_the_incident_too(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here, minutes_ago=20)
    with here.desk.begin("recover") as connection:
        connection.execute(alerts.alert.update().values(state="recovered", recovered_at=here.clock.now() - timedelta(minutes=8)))
    answer = here.say("alice", f"incident {number}")
    found = re.search(r"if that was the end of it: `/vigie (incident end 1 [^`]+)`", answer)
    assert found is not None and here.say("alice", found[1]).startswith("Incident 1 is over since")


def test_while_one_of_its_alerts_still_fires_nothing_is_said_of_its_end(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    first, second = fires(here, minutes_ago=20), fires(here, "ledger/lag", minutes_ago=10)
    here.say("alice", f"incident {first}")
    here.say("alice", f"incident add 1 {second}")
    with here.desk.begin("recover") as connection:
        over = alerts.alert.update().where(alerts.alert.c.id == first)
        connection.execute(over.values(state="recovered", recovered_at=here.clock.now() - timedelta(minutes=8)))
    with here.desk.read() as connection:
        assert recovery.recovered_at(connection, incident(here)) is None
        connection.execute(alerts.alert.update().values(state="recovered", recovered_at=here.clock.now()))
        assert recovery.recovered_at(connection, incident(here)) == here.clock.now()


def test_the_kind_and_the_words_may_be_said_in_the_line(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)} degraded half of the calls fail")
    made = incident(here)
    assert (made.kind, made.title, made.service, made.declared_by) == ("degraded", "half of the calls fail", "pay-api", "alice")
    assert impacts(here) == [], "how badly, a person must say"


def test_the_button_opens_a_form_that_is_filled_in(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here)
    assert here.say("alice", "incident", ref=str(number), way="button") == ""
    filled = ("incident", "kind=security", "title=a stranger was in", "found=clients", "began=24/11 08:00", "drill=yes")
    here.say("alice", *filled, ref=str(number), way="form")
    made = incident(here)
    assert (made.kind, made.found_by, made.drill) == ("security", "clients", True)
    assert made.began_at == paris("2026-11-24 08:00")


def test_in_an_alerts_thread_its_number_need_not_be_said(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here)
    assert "Incident 1 is declared" in here.say("alice", "incident degraded slow", ref=str(number), way="mention")
    said = here.say("alice", "incident impact pay-api 09:55 -", ref=str(number), way="mention")
    assert said.startswith("Incident 1: pay-api Tue 24 Nov 09:55 – now")
    assert "Incident 1 · degraded" in here.say("alice", "incident show", ref=str(number), way="mention")


def test_one_alert_has_one_incident_at_a_time(engine: sa.Engine) -> None:
    here = reporting(engine)
    number = fires(here)
    here.say("alice", f"incident {number}")
    again = here.say("bruno", f"incident {number}")
    assert f"#{number} is of incident 1 already, declared by Alice" in again and "incident add 1" in again
    here.say("alice", "incident end 1")
    assert "Incident 2 is declared" in here.say("bruno", f"incident {number}")


def test_another_alert_may_join_it(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)}")
    second = fires(here, "ledger/slow", severity="warning")
    assert here.say("alice", f"incident add 1 {second}") == f"#{second} joined incident 1."
    assert here.say("alice", f"incident add 1 {second}") == f"#{second} is of incident 1 already."
    third = fires(here, "ledger/late", severity="warning")
    assert here.say("alice", "incident add 1", ref=str(third), way="mention") == f"#{third} joined incident 1."


@pytest.mark.parametrize(("line", "refusal"), [
    ("incident 9999", "No alert 9999"),
    ("incident show 7", "No incident 7. The newest is incident 1."),
    ("incident show", "Which incident? Say its number: `/vigie incident show 3`"),
    ("incident dance 1", "`/vigie incident dance` is nothing. Name an alert to declare one (`142`), or say list, show, impact"),
    ("incident impact 1 nowhere 09:00 -", "There is no service nowhere; vigie.yaml has pay-api, pay-db"),
    ("incident impact 1 pay-api", ""),
    ("incident impact 1 pay-api 09:00 09:30 130%", "\"130%\" is no share of failed requests"),
    ("incident impact 1 pay-api 24/11 09:30 24/11 09:00", "It would end at Tue 24 Nov 09:00"),
    ("incident end 1 24/11 01:00", "Incident 1 began at Tue 24 Nov 09:54"),
    ("incident end 1 25/11 01:00", "Wed 25 Nov 01:00 is not over yet: say when it was."),
    ("incident cause 1", ""),
    ("incident aware 1 09:00", "Say why: `/vigie incident aware 1 02:14 &lt;reason&gt;`"),
    ("incident notice 1 initial x", "Incident 1 is not classified as major: `/vigie classify 1`"),
    ("incident notice 1 weekly x", "\"weekly\" is no kind of report: say initial, intermediate, final, clients, bank_api."),
    ("classify", "Which incident?"),
    ("classify 1 clients=many actual", "clients \"many\" is no number: say 12000, or a share as 8%."),
    ("classify 1 amount=120% actual", "amount \"120%\" is no share: say 8%, at most 100%."),
    ("classify 1 duration=long actual", "duration \"long\" is no length of time: say 3h, 1h30m or 2d4h."),
    ("classify 1 colour=red actual", "The worksheet has no question colour; it asks gate, clients"),
    ("classify 1 critical=perhaps actual", "critical \"perhaps\" is neither yes nor no: say critical=yes or critical=no."),
    ("classify 1 perhaps", "\"perhaps\" says nothing here"),
])
def test_what_cannot_be_is_refused_with_what_would_work(sqlite_engine: sa.Engine, line: str, refusal: str) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here, minutes_ago=6)}")
    answer = here.say("alice", line)
    assert refusal in answer and bool(answer) == bool(refusal), answer


def test_who_sleeps_may_look_and_not_change(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine, "2026-11-24 02:00")
    here.say("lea", f"incident {fires(here)}")
    assert "Incident 1 · outage" in here.say("alice", "incident show 1")
    assert "You are in Bridge's blackout until" in here.say("alice", "incident end 1")
    assert "On duty:" in here.say("alice", "classify 1 " + MAJOR)


def test_a_story_without_any_incident_says_how_to_declare_one(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 10:00")
    assert here.say("alice", "incident list") == (
        "No incident was ever declared. `/vigie incident 142` declares one about alert 142.")


# --- what happened to it ----------------------------------------------------------------------------------------------------


def test_impact_said_anew_takes_the_place_of_what_it_touches(engine: sa.Engine) -> None:
    here = reporting(engine)
    here.say("alice", f"incident {fires(here, minutes_ago=30)}")
    here.say("alice", "incident impact 1 ledger 09:40 09:50 30%")
    here.say("alice", "incident impact 1 pay-api 09:35 09:45")
    assert impacts(here) == [("ledger", "08:40", "08:50", 0.3), ("pay-api", "08:35", "08:45", 1.0)]
    with here.desk.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM impact WHERE withdrawn_at IS NOT NULL")).scalar_one() == 1


def test_the_end_ends_what_still_lasts(engine: sa.Engine) -> None:
    here = reporting(engine)
    here.say("alice", f"incident {fires(here, minutes_ago=30)}")
    here.say("alice", "incident end 1 09:50")
    assert impacts(here) == [("pay-api", "08:30", "08:50", 1.0)]
    assert incident(here).ended_at == paris("2026-11-24 09:50")
    assert "Incident 1 is over since Tue 24 Nov 09:50" in here.say("alice", "incident end 1")


def test_cause_and_third_party_are_kept_with_what_was_said_before(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)}")
    here.say("alice", "incident cause 1 nat-gateway")
    here.say("alice", "incident cause 1 nat-gateway-3a")
    assert json.loads(here.entries("incident cause")[-1].details)["cause_before"] == "nat-gateway"
    assert "came from AWS" in here.say("alice", "incident third-party 1 AWS")
    assert "came from no third party" in here.say("alice", "incident third-party 1 none")
    assert (incident(here).cause, incident(here).third_party) == ("nat-gateway-3a", None)


def test_no_card_number_that_people_write_is_kept(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    alert = fires(here)
    with here.desk.read() as connection:
        found = alerts.by_id(connection, alert)
    assert found is not None
    declaring.declare(here.desk, found, ALICE, Wish(title="card 4111111111111111 refused"))
    assert "4111111111111111" not in incident(here).title


def test_the_card_says_it_all_and_offers_the_next_step(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here, minutes_ago=6)}")
    shown = card(here)
    assert "🚨 Incident 1 · outage · pay-api" in shown and "Not classified" in shown and '"Classify…"' in shown
    here.say("alice", "classify 1 " + MAJOR)
    assert "MAJOR (2024/1772" in card(here) and "A report is sent…" in card(here)
    here.say("alice", "incident end 1")
    assert "🏁 Incident 1" in card(here) and "It is over…" not in card(here)


# --- papers -----------------------------------------------------------------------------------------------------------------


def test_the_timeline_has_who_what_and_both_clocks(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here, minutes_ago=6, title="5xx | above <5 %>")
    here.say("alice", f"ack {number} looking")
    here.say("alice", f"incident {number}")
    answer = here.say("alice", "incident timeline 1")
    assert answer == "The timeline of incident 1 is in the thread of its card, as a file."
    [paper] = papers(here)
    text = paper["content"]
    assert paper["name"] == "incident1-timeline.md" and "| Europe/Paris | UTC | about | who | what | outcome |" in text
    assert f"| 2026-11-24 10:00:00 | 09:00:00 | alert {number} | Alice (Bridge) | acknowledged by Alice: looking | done |" in text
    assert "declared as outage" in text and "<!date" not in text
    assert r"5xx \| above \<5 %\>" in text, "what sources say is no markup"


def test_the_post_mortem_begins_with_what_is_known(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here, minutes_ago=30)
    here.say("alice", f"ack {number}")
    here.say("alice", f"incident {number}")
    here.say("alice", "incident end 1")
    here.say("alice", "incident post-mortem 1")
    text = papers(here)[-1]["content"]
    headings = [each for each in text.splitlines() if each.startswith("## ")]
    assert headings == ["## Impact", "## Timeline", "## What went well", "## What went wrong", "## Where we were lucky",
                        "## Actions"]
    assert "Found by monitoring systems 30 min after it began." in text.replace("\\", "")
    assert f"#{number} was acknowledged by Alice after 0 s." in text and text.count("people: …") == 4
    assert "`/vigie decide`" in text


def test_papers_are_not_written_twice_in_one_second(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)}")
    for _ in range(2):
        here.say("alice", "incident timeline 1")
    assert len(papers(here)) == 1
    here.clock.instant += timedelta(seconds=1)
    here.say("lea", "incident timeline 1")
    assert len(papers(here)) == 2 and LEA.key in [each.actor for each in here.entries("incident paper")]
