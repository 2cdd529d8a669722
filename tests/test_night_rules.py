"""The rules of vigie.yaml about nights: each is broken once, and told with its line and its remedy."""

import re
from functools import partial

import pytest

from bot.config.duties import minutes
from bot.labour.arithmetic.days import Hours
from tests.config_stage import TEXT, changed, reading

OMAR = "omar: {name: Omar, slack: U0OMAR0001, organisation: padok, roles: [engineer], "
PADOK_PRIMARY = "padok-primary: {team: padok-nights, coverage: platform, role: primary, people: [lea, omar]"
PADOK_SECONDARY = "padok-secondary: {team: padok-nights, coverage: platform, role: secondary, people: [omar, lea]"
WEEKDAY_NIGHT = '        - {at: "00:00", team: padok-nights, mode: active}'
WEEKDAY_EVENING = '        - {at: "20:00", team: bridge-day, mode: on_call}'
SUNDAY = '      sunday:\n        - {at: "00:00", team: padok-nights, mode: on_call}'
REST = "posted_rest: 21:00-08:00"
FRENCH = "profile: FR-2026.08\n      holidays: FR  "


@pytest.fixture
def read(tmp_path):
    """Reads a text as vigie.yaml."""
    return partial(reading, tmp_path)


FAULTS = [
    # names
    ("padok-nights: {organisation: padok", "padok-nights: {organisation: padock", 'Did you mean "padok"?'),
    ("lead: ines, channel: alerts", "lead: inez, channel: alerts", 'Did you mean "ines"?'),
    ("lead: ines, channel: alerts", "lead: ines, channel: alert", 'Did you mean "alerts"?'),
    ("lead: ines, channel: alerts", "lead: ines, contact: nobody", '"nobody" is not in `people`'),
    ("fallback: ines", "fallback: inez", 'Did you mean "ines"?'),
    ('services: "*"', "services: [pay-api, ledgr]", 'Did you mean "ledger"?'),
    (WEEKDAY_NIGHT, WEEKDAY_NIGHT.replace("nights", "night"), 'Did you mean "padok-nights"?'),
    (PADOK_PRIMARY, PADOK_PRIMARY.replace("padok-nights", "padok-night"), 'Did you mean "padok-nights"?'),
    (PADOK_PRIMARY, PADOK_PRIMARY.replace("coverage: platform", "coverage: plattform"), 'Did you mean "platform"?'),
    (PADOK_PRIMARY, PADOK_PRIMARY.replace("[lea, omar]", "[lea, oma]"), 'Did you mean "omar"?'),
    ("break_glass: paul", "break_glass: pual", 'Did you mean "paul"?'),
    # one company
    (PADOK_PRIMARY, PADOK_PRIMARY.replace("[lea, omar]", "[lea, bruno]"), '"bruno" is of "bridge", not of "padok"'),
    ("lead: ines, channel: alerts", "lead: paul, channel: alerts", '"paul" is of "bridge", not of "padok"'),
    ("lead: ines, channel: alerts", "lead: ines, contact: alice", '"alice" is of "bridge", not of "padok"'),
    ("break_glass: paul", "break_glass: ines", '"ines" is of "padok", not of "bridge"'),
    # days
    ("      weekday:", "      holiday_eve:", "nothing says who has the duty on weekdays"),
    ("      saturday:", "      saterday:", 'Did you mean "saturday"?'),
    (WEEKDAY_EVENING, WEEKDAY_EVENING.replace("20:00", "08:00"), "two teams begin at 08:00"),
    (SUNDAY, "      sunday: []", "nobody would have the duty"),
    (WEEKDAY_EVENING, WEEKDAY_EVENING.replace('"20:00"', "20h"), 'Hours and minutes, as in "08:00"'),
    (WEEKDAY_EVENING, WEEKDAY_EVENING.replace('"20:00"', '"24:00"'), 'midnight is "00:00"'),
    (PADOK_PRIMARY, PADOK_PRIMARY.replace("[lea, omar]", "[]"), "Give it at least one entry"),
    (WEEKDAY_EVENING, WEEKDAY_EVENING.replace("on_call", "asleep"), "Known: active, on_call"),
    ("    fallback: ines", "    dates: {2026-12-24: []}\n    fallback: ines", "nobody would have the duty"),
    ("    fallback: ines", "    dates: {Christmas: []}\n    fallback: ines", "a day is wanted"),
    ("    fallback: ines", "    timezone: Europe/Pariss\n    fallback: ines", 'Did you mean "Europe/Paris"?'),
    ("    # user_group: S0ASTREINT", "    user_group: astreinte", "not the id of a Slack user group"),
    ("fallback_after: 20m", "again_every: 0s", "without a pause"),
    ("fallback_after: 20m", "fallback_after: 20 minutes", "30s, 10m, 2h"),
    # turns
    (PADOK_PRIMARY, PADOK_PRIMARY.replace("primary,", "secondary,"), 'both say who is secondary of "padok-nights"'),
    (PADOK_PRIMARY, PADOK_PRIMARY.replace("[lea, omar]", "[omar, lea]"), 'from 2026-10-05 on, "omar" would be both'),
    (f"{PADOK_PRIMARY}, starts: 2026-10-05", f"{PADOK_PRIMARY}, starts: 2026-10-07", '"lea" would be both primary and secondary'),
    (f"{PADOK_PRIMARY}, starts", f"{PADOK_PRIMARY}, changes_at: \"08:00\", starts", "would be both primary and secondary"),
    ("  padok-primary: ", "  padok-other: {team: padok-nights, coverage: platform, people: [ines], starts: 2026-10-05}\n"
     "  padok-primary: ", 'both say who is primary of "padok-nights"'),
    (f"  {PADOK_PRIMARY}, starts: 2026-10-05}}\n", "", "no rotation says who of it is primary"),
    # blackouts
    (WEEKDAY_NIGHT, WEEKDAY_NIGHT.replace("padok-nights", "bridge-day"), "while Bridge is in blackout (00:00-08:00)"),
    ('{at: "08:00", team: bridge-day, mode: active}', '{at: "07:59", team: bridge-day, mode: active}', "Bridge is in blackout"),
    ("    fallback: ines", "    timezone: Europe/London\n    fallback: ines", "Bridge is in blackout"),
    ("    fallback: ines", '    dates: {2026-12-24: [{at: "06:00", team: bridge-day}]}\n    fallback: ines', "24 December 2026"),
    # the law
    (REST, "posted_rest: 00:00-08:00", "posted rest of 8 h is shorter than daily rest, 11 h (D3131-3)"),
    (REST, "posted_rest: 22:00-08:30", "it then opens an hour earlier"),
    (REST, "posted_rest: at night", "HH:MM-HH:MM"),
    (REST, f"{REST}\n      night: 20:00-05:00", "a night beyond 21:00-07:00"),
    (REST, f"{REST}\n      night: 22:00-05:00", "a night of 7 h, at least 9 h needed"),
    (REST, f"{REST}\n      night: at night", "HH:MM-HH:MM"),
    (REST, f"night: 21-07\n      {REST}", "HH:MM-HH:MM"),
    (FRENCH, FRENCH.replace("2026.08", "2026.80"), 'Did you mean "FR-2026.08"?'),
    (FRENCH, FRENCH.replace("holidays: FR", "holidays: FR-99"), "FR-57"),
    (REST, f"{REST}\n      agreements: [{{rule: R13, parameter: notice, value: 7, title: of 2025}}]", 'has no figure "notice"'),
    (REST, f"{REST}\n      agreements: [{{rule: R06, parameter: max_day_h, value: 14, title: of 2025}}]", "L3121-19"),
    # people
    (f"{OMAR}contacts", f"{OMAR}starts: 2026-05-01, ends: 2026-04-30, contacts", "the last day, 2026-04-30, is before the first"),
    (f"{OMAR}contacts", f"{OMAR}flags: [no_night], contacts", '"omar" may not work at night'),
    (f"{OMAR}contacts", f"{OMAR}regime: under-18, contacts", '"omar" may not work at night'),
    (f"{OMAR}contacts", f"{OMAR}flags: [no_on_call], contacts", '"omar" may not be on call'),
    (f"{OMAR}contacts", f"{OMAR}flags: [no_nights], contacts", 'Did you mean "no_night"?'),
]


@pytest.mark.parametrize(("old", "new", "words"), FAULTS, ids=[f"{number}-{each[2][:30]}" for number, each in enumerate(FAULTS)])
def test_a_fault_of_nights_is_told_with_its_line_and_its_remedy(read, old, new, words):
    found = read(changed(old, new))
    told = [str(fault) for fault in found.faults]
    assert found.config is None and any(words in each for each in told), told
    assert all(re.match(r"vigie\.yaml:\d+: ", each) and fault.right for each, fault in zip(told, found.faults, strict=True)), told


WARNINGS = [
    (f"  {PADOK_SECONDARY}, starts: 2026-10-05}}\n", "", "no rotation says who is secondary"),
    ('services: "*"', 'services: ["pay-*", edge, batch-worker, bank-sync]', 'no coverage takes the service "ledger"'),
    ('services: "*"', 'services: ["*", "x-*"]', 'no service is called like "x-*"'),
    ("fallback: ines", "fallback: paul", '"paul" is in blackout 00:00-08:00'),
    (f"{OMAR}contacts: [VIGIE_CONTACT_OMAR]", OMAR.removesuffix(", "), "[VIGIE_CONTACT_OMAR]"),
    ("roles: [lead, rota_admin], contacts", "roles: [lead], contacts", 'nobody of "padok" may change its shifts'),
    ("[lead, rota_admin], contacts", "[lead, rota_admin], ends: 2027-01-31, contacts", '"ines" leaves on 2027-01-31'),
    ("secondary_after: 5m", "secondary_after: 12m", "`lead_after` is before `secondary_after`"),
    (TEXT[TEXT.index("    labour:\n      profile: FR-2026.08\n      holidays: FR\n"):TEXT.index("\n# A person is known")], "",
     '"padok" has people who take turns, and no working-time rules'),
    ("    blackout: 00:00-08:00  ", "    # ", "there is no glass to break"),
]


@pytest.mark.parametrize(("old", "new", "words"), WARNINGS, ids=[each[2][:30] for each in WARNINGS])
def test_what_works_at_night_but_is_better_changed_is_a_warning(read, old, new, words):
    found = read(changed(old, new))
    assert found.faults == () and found.config is not None, found.faults
    assert any(words in str(each) for each in found.warnings), found.warnings


def test_a_team_that_takes_turns_for_hours_it_never_has_is_told(read):
    text = changed("teams:\n", "teams:\n  padok-day: {organisation: padok, lead: ines}\n").replace(
        "rotations:\n", "rotations:\n  x: {team: padok-day, coverage: platform, people: [ines], starts: 2026-10-05}\n")
    assert any('"padok-day" never has the duty of "platform"' in str(each) for each in read(text).warnings)


def test_a_coverage_that_another_one_hides_is_told(read):
    second = TEXT[TEXT.index("  platform:\n    services"):TEXT.index("\nrotations:")].replace("  platform:", "  edge:", 1)
    text = changed("\nrotations:", f"{second}\nrotations:").replace('    services: "*"', '    services: edge')
    text = text.replace("    services: edge", '    services: "*"', 1)
    assert any("those above it take them all" in str(each) for each in read(text).warnings)


# Padok from 20:00 to 08:00, as one duty or as two that meet at midnight; its people change on Mondays.
LONG_NIGHT = (TEXT[TEXT.index("      weekday:\n"):TEXT.index("    paging: {secondary")], """\
      weekday:
        - {at: "08:00", team: bridge-day, mode: active}
        - {at: "20:00", team: padok-nights, mode: on_call}
""")
CUT_AT_MIDNIGHT = LONG_NIGHT[1].replace("weekday:\n", 'weekday:\n        - {at: "00:00", team: padok-nights, mode: on_call}\n')
PADOK_TURNS = ("people: [lea, omar], starts: 2026-10-05}", "people: [omar, lea], starts: 2026-10-05}")
AMID = 'turns change at 00:00, inside a night of "padok-nights" (20:00-08:00)'


def at_turns(text: str, changes_at: str) -> str:
    for each in PADOK_TURNS:
        text = text.replace(each, each.replace("}", f', changes_at: "{changes_at}"}}'))
    return text


def amid(found) -> list[str]:
    return [str(each) for each in found.warnings if "turns change" in str(each)]


@pytest.mark.parametrize("days", [LONG_NIGHT[1], CUT_AT_MIDNIGHT], ids=["one duty", "cut at midnight"])
def test_turns_that_change_inside_a_night_are_remarked_on_with_its_hours_and_what_to_write(read, days):
    found = read(changed(LONG_NIGHT[0], days))
    assert found.config is not None and len(amid(found)) == 2, found.faults
    assert all(AMID in each and 'Write `changes_at: "20:00"`' in each for each in amid(found))


def test_turns_of_a_team_that_never_ends_its_duty_better_change_in_the_morning(read):
    always = '      weekday:\n        - {at: "00:00", team: padok-nights, mode: on_call}\n'
    found = amid(read(changed(LONG_NIGHT[0], always)))
    assert len(found) == 2 and all("(21:00-06:00)" in each and 'changes_at: "06:00"' in each for each in found)


@pytest.mark.parametrize("text", [
    TEXT,
    at_turns(changed(*LONG_NIGHT), "20:00"),
    changed(*LONG_NIGHT).replace("[lea, omar]", "[lea]").replace("[omar, lea]", "[omar]"),
], ids=["as a duty begins", "as the long night begins", "always the same person"])
def test_turns_that_change_with_a_duty_or_never_are_not_remarked_on(read, text):
    assert amid(read(text)) == []


def test_the_end_of_a_day_may_be_written_as_24_and_is_the_same_as_0(read):
    evening, rest = changed("hours: [00:00-08:00, 20:00-00:00]", "hours: [00:00-08:00, 20:00-24:00]"), "20:00-24:00"
    assert read(evening).faults == ()
    assert minutes(rest) == minutes("20:00-00:00") and Hours.parse(rest) == Hours.parse("20:00-00:00")


def test_a_blackout_until_24_is_one_until_midnight(read):
    told = [str(each) for each in read(changed("    blackout: 00:00-08:00  ", "    blackout: 20:00-24:00  ")).faults]
    assert told and all("in blackout (20:00-24:00)" in each for each in told), told


@pytest.mark.parametrize(("place", "given"), [
    (f"{OMAR}contacts: [VIGIE_CONTACT_OMAR]", f"{OMAR}contacts: ['%s']"),
    ("workspace: T0BRIDGE01 ", "heartbeat: '%s'\nworkspace: T0BRIDGE01 ")])
@pytest.mark.parametrize("value", ["ovh://key:secret@+33612345678", "sns:+33612345678", "+33612345678", "omar@padok.example"])
def test_an_address_or_number_in_the_file_itself_is_refused_and_never_printed(read, place, given, value):
    told = "\n".join(map(str, read(changed(place, given % value)).faults))
    assert "not a reference to" in told and value not in told and "33612345678" not in told


def test_a_blackout_that_is_broken_only_where_clocks_change_names_that_night(read):
    """In October clocks show half past two twice: the blackout ends at the second, the day's team would begin at the first."""
    text = changed("blackout: 00:00-08:00", "blackout: 00:00-02:30").replace(
        SUNDAY, f'{SUNDAY}\n        - {{at: "02:30", team: bridge-day, mode: on_call}}')
    [fault] = read(text).faults
    assert "Sunday 31 October 2027" in fault.what
