"""Exports: the evidence list of PCI DSS, the pre-filled reports, the log of incidents; from Slack and from the command line."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import exporting as command_line
from bot.errors import Refused
from bot.services.incident import exporting, ground, template
from bot.services.incident.filling import CONFIG, FILLED, HUMAN
from bot.services.incident.worksheet import QUESTIONS
from bot.services.ledger.requirements import EVIDENCE
from bot.settings import load_settings
from bot.store.db import reader
from bot.store.incidents import KINDS
from commands.incident import VERBS
from tests.duty_stage import Life, paris
from tests.incident_stage import MAJOR, config, fires, incident, reporting
from tests.pages import named, table
from tests.test_incidents import papers


def evidence(here: Life, month: str = "2026-11") -> dict[str, str]:
    with reader(here.desk.engine) as connection:
        return command_line.pci_files(connection, here.desk.config, month, here.clock)[1]


def lists(files: dict[str, str], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files[f"{name}.json"])
    return found


def report(here: Life, kind: str) -> dict[str, tuple[str, str]]:
    with here.desk.read() as connection:
        filled = exporting.report(connection, here.desk.config, incident(here), kind, here.clock.now())
    return {each.number: (each.value, each.source) for each in filled}


# --- PCI DSS ----------------------------------------------------------------------------------------------------------------


def test_every_list_names_its_requirement_and_what_it_cannot_show(engine: sa.Engine) -> None:
    files = evidence(reporting(engine))
    index = json.loads(files["index.json"])
    assert index["month"] == "2026-11" and [each["name"] for each in index["lists"]] == [each.name for each in EVIDENCE]
    assert all(each["requirement"] and each["shows"] and each["source"] and each["cannot"] for each in index["lists"])
    wanted = ("3.4.1", "7.2.4", "8.2.7", "10.3.4", "10.4.1", "10.7.2", "12.8.5", "12.10.3")
    assert all(any(one in each["requirement"] for each in index["lists"]) for one in wanted)
    assert {f"{each.name}.csv" for each in EVIDENCE} < set(files)


def test_the_log_says_what_it_has_how_far_back_it_goes_and_what_was_learnt(engine: sa.Engine) -> None:
    here = reporting(engine)
    here.say("alice", f"ack {fires(here)}")
    here.say("paul", "decide pay-api: fewer words due 2026-12-10")
    here.move("2026-11-24 10:30")
    files = evidence(here)
    events = {each["kind"]: each["entries"] for each in lists(files, "logged-events")}
    assert events["alert acked"] == 1 and events["(lacks who, what, when, outcome, origin or object)"] == 0
    log = {each["what"]: each["value"] for each in lists(files, "log-integrity")}
    assert log["oldest entry that is kept"] == "2026-11-24T09:00:00+00:00"
    [lesson] = lists(files, "lessons")
    assert (lesson["state"], lesson["side"]) == ("open", "Bridge")


def test_accounts_have_their_rights_and_tell_who_is_idle(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"ack {fires(here)}")
    rows = {each["person"]: each for each in lists(evidence(here), "accounts")}
    assert rows["alice"]["may"] == "read, write, act" and not rows["alice"]["idle_90_days"]
    assert rows["marie"]["may"] == "read, write" and rows["marie"]["last_act"] == "never" and rows["marie"]["idle_90_days"]
    assert rows["lea"]["kind"] == "partner"


def test_a_partner_who_is_refused_outside_of_its_duty_is_in_the_list(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)}")
    here.say("lea", "classify 1 " + MAJOR)
    here.move("2026-11-24 10:01")
    [row] = lists(evidence(here), "partner-refused")
    assert (row["person"], row["kind"]) == ("lea", "command refused") and "Bridge classifies" in row["details"]


def test_coverage_counts_each_minute_and_the_sides_share_them(sqlite_engine: sa.Engine) -> None:
    files = evidence(reporting(sqlite_engine, "2026-12-04 10:00"))
    whole = {each["role"]: each for each in lists(files, "coverage") if each["from"] == "all"}
    assert whole["primary"]["minutes"] == 30 * 1440 and whole["primary"]["percent"] == "100.000"
    matrix = {each["what"]: each["who"] for each in lists(files, "responsibilities")}
    assert matrix["reports to the authority"] == "Bridge" and matrix["all that no line above names"] == "Bridge"
    assert "Padok" in matrix.values() and any(each.startswith("run by ") for each in matrix)


def test_of_a_month_that_goes_on_only_what_has_gone_by_is_evidence(sqlite_engine: sa.Engine) -> None:
    rows = lists(evidence(reporting(sqlite_engine, "2026-11-03 10:00")), "coverage")
    [primary] = [each for each in rows if (each["role"], each["from"]) == ("primary", "all")]
    assert (primary["minutes"], primary["percent"]) == (2 * 1440 + 600, "100.000")


def test_masked_card_numbers_are_counted_by_the_door_through_which_they_came(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    rows = lists(evidence(here), "masked-card-numbers")
    assert all(each["masked"] == 0 for each in rows)


def test_no_cell_is_a_formula(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)} degraded =cmd()")
    with here.desk.read() as connection:
        month = exporting.month_files(connection, here.desk.config, paris("2026-11-01 00:00"), paris("2026-12-01 00:00"),
                                      here.clock.now())
    [row] = list(csv.DictReader(io.StringIO(month["incidents.csv"])))
    assert row["title"] == "'=cmd()"


def test_the_pages_name_each_list_each_verb_and_each_question() -> None:
    shown = [(name.strip("`"), requirement) for name, requirement in table("docs/pci.md", "list")]
    assert shown == [(each.name, each.requirement) for each in EVIDENCE]
    said = " ".join(row[0] for row in table("docs/incidents.md", "said"))
    assert all(f"incident {each}" in said for each in VERBS) and named(table("docs/incidents.md", "kind")) == set(KINDS)
    assert named(table("docs/dora.md", "question")) == set(QUESTIONS)


# --- DORA -------------------------------------------------------------------------------------------------------------------


def test_the_template_has_every_field_of_the_annex() -> None:
    counts = [len(each) for each in (template.GENERAL, template.INITIAL, template.INTERMEDIATE, template.FINAL)]
    assert counts == [15, 10, 35, 16]
    assert list(template.INTERMEDIATE) == [f"3.{number}" for number in range(1, 36)]


def test_what_vigie_knows_is_filled_in_and_the_rest_is_for_people(engine: sa.Engine) -> None:
    here = reporting(engine)
    number = fires(here, minutes_ago=95)
    here.say("alice", f"incident {number}")
    here.say("alice", "incident third-party 1 AWS")
    here.say("alice", "classify 1 " + MAJOR)
    here.say("marie", "incident notice 1 initial ACPR-2026-118")
    here.move("2026-11-24 12:00")
    here.say("alice", "incident end 1 11:55")
    first = report(here, "initial")
    assert first["1.1"] == ("initial notification", FILLED) and first["1.2"] == ("Bridge SAS", CONFIG)
    assert first["1.7"] == ("Marie", CONFIG) and first["1.8"] == ("", HUMAN)
    assert first["2.2"] == ("2026-11-24T09:00:00Z", FILLED) and first["2.3"] == ("2026-11-24T09:00:00Z", FILLED)
    assert first["2.4"] == ("", HUMAN) and first["2.7"] == ("monitoring systems", FILLED) and first["2.8"] == ("AWS", FILLED)
    assert "3.2" not in first
    middle = report(here, "intermediate")
    assert middle["3.1"] == ("ACPR-2026-118", FILLED) and middle["3.2"] == ("2026-11-24T07:25:00Z", FILLED)
    assert middle["3.3"] == ("2026-11-24T10:55:00Z", FILLED) and middle["3.15"] == ("00:03:30", FILLED)
    assert middle["3.16"] == ("00:03:30", FILLED) and middle["3.17"] == ("estimates", FILLED)
    assert middle["3.5"] == ("12.0%", FILLED) and middle["3.20"] == ("", HUMAN)
    assert middle["3.27"] == ("pay-api: The API that merchants call", FILLED)
    assert report(here, "final")["4.15"] == ("no", FILLED) and report(here, "final")["4.1"] == ("", HUMAN)


def test_recurring_incidents_are_in_the_final_report_and_judged_together(engine: sa.Engine) -> None:
    here = reporting(engine, "2026-10-01 10:00")
    for number, at in ((1, "2026-10-01 10:00"), (2, "2026-11-10 10:00"), (3, "2026-11-24 10:00")):
        here.move(at)
        here.say("alice", f"incident {fires(here, f'pay-api/{number}')}")
        here.say("alice", f"incident cause {number} nat")
        here.say("alice", f"classify {number} gate=critical downtime=1h30m states=2 actual")
        here.move(at.replace("10:00", "11:30"))
        here.say("alice", f"incident end {number}")
    with here.desk.read() as connection:
        [row] = exporting.recurring(connection, here.desk.config, here.clock.now())
        [*_, tag] = exporting.log(connection, paris("2026-11-01 00:00"), paris("2026-12-01 00:00"), here.clock.now())
    assert (row["what"], row["count"], row["duration"], row["major_together"]) == ("nat", 3, "00:04:30", True)
    assert tag["major"] is False and tag["cause"] == "nat"
    here.clock.instant = paris("2026-11-24 12:00")
    final = report(here, "final")
    assert final["4.15"] == ("yes", FILLED)
    assert final["4.16"] == ("2026-10-01T08:00:00Z, 2026-11-10T09:00:00Z, 2026-11-24T09:00:00Z", FILLED)
    assert "It recurs: nat, 3 times in six months (incident 1, incident 2, incident 3)." in post_mortem(here)


def post_mortem(here: Life) -> str:
    here.say("alice", "incident post-mortem 1")
    return papers(here)[-1]["content"]


def test_in_slack_the_report_comes_as_two_files_in_the_thread(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here)
    here.say("alice", f"incident {number}")
    here.say("alice", "classify 1 " + MAJOR)
    answer = here.say("alice", "export incident 1")
    assert answer.startswith("Initial notification of incident 1 is in the thread of its card, as CSV and JSON: ")
    assert [each["name"] for each in papers(here)] == ["incident1-initial.csv", "incident1-initial.json"]
    body = json.loads(papers(here)[1]["content"])
    assert body["report"] == "initial" and {each["source"] for each in body["fields"]} == {FILLED, CONFIG, HUMAN}
    here.say("alice", "export incident final", ref=str(number), way="mention")
    assert papers(here)[-1]["name"] == "incident1-final.json"


@pytest.mark.parametrize(("line", "answer"), [
    ("export", "Say `/vigie export incident 3`"), ("export incident 9", "No incident 9. There is none yet."),
    ("export pci 2026-10", "`vigie export pci 2026-10 --out DIR`"), ("export dora", "belong in no channel"),
])
def test_what_slack_does_not_give_is_said_with_what_does(sqlite_engine: sa.Engine, line: str, answer: str) -> None:
    assert answer in reporting(sqlite_engine).say("alice", line)


# --- the command line -------------------------------------------------------------------------------------------------------


def test_the_command_line_writes_all_files_of_an_incident(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    here, said = reporting(sqlite_engine), list[str]()
    here.say("lea", f"incident {fires(here, 'bank-sync/timeouts')}")
    settings = load_settings({"DATABASE_URL": sqlite_engine.url.render_as_string(hide_password=False)})
    command_line.incident(settings, config(), "1", tmp_path / "out", said.append)
    names = {each.name for each in (tmp_path / "out").iterdir()}
    assert names == {
        "initial.json", "initial.csv", "intermediate.json", "intermediate.csv", "final.json", "final.csv", "timeline.md",
        "post-mortem.md", "incident.json", "classifications.json", "journal.jsonl", "bank-api.json",
    }
    assert said == [f"12 files in {tmp_path / 'out'}: {', '.join(sorted(names))}"]
    assert json.loads((tmp_path / "out" / "bank-api.json").read_text())["failures"] == 1
    with pytest.raises(Refused, match="No incident 7"):
        command_line.incident(settings, config(), "7", tmp_path, said.append)
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        command_line.incident(settings, config(), "1", tmp_path / "file", said.append)


def test_an_incident_is_named_as_people_name_it(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)}")
    with here.desk.read() as connection:
        assert {ground.get(connection, here.desk.config, each).id for each in ("1", "#1", "incident1")} == {1}
