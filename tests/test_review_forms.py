"""Forms of the review: values in words, who may see what, JSON, tables, pictures, the PDF; each says the same."""

import csv
import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from bot.errors import Misbuilt, Unavailable
from bot.review import Chart, Column, Definition, Figure, Mark, Review, Section, Table, Trend
from bot.review.forms import Signed, audience, charts, document, laid, machine, sheets, wording
from bot.review.forms.extra import extra
from bot.services.desk import Desk
from bot.services.review import links
from bot.services.review.composing import compose
from bot.store.db import create_engine
from tests.config_stage import example
from tests.fakes import CountingIds, ManualClock
from tests.review_stage import facts, group, page, past

DIGEST = "ab" * 32
SECRET_NAME = "Zoé Nuit"
CHART = Chart("alerts-per-day", "Two alerts came in", "Two alerts, one a day.", "stacked", "day", "alerts",
              (("2026-10-01", "healed", 1.0), ("2026-10-02", "healed", 1.0)))


def definition(name: str = "volume", unit: str = "count", **more: object) -> Definition:
    return Definition(name, name.capitalize(), "How it is computed.", unit, source="rota.md 6.3", **more)  # type: ignore[arg-type]


def review(*figures: Figure, tables: tuple[Table, ...] = (), picture: tuple[Chart, ...] = (), **more: object) -> Review:
    """October with one section."""
    section = Section("one", "One", ("It was quiet.",), figures, tables, picture)
    plain = Review(
        "2026-10", "Europe/Paris", "2026-09-30T22:00:00+00:00", "2026-10-31T23:00:00+00:00", "2026-11-04T08:00:00+00:00",
        "sealed", 1, {"bridge": "Bridge", "padok": "Padok"}, (section,), {}, {"entries": 7, "ok": True, "sealed_to": 7},
        {"lea": "Léa", "zoe": SECRET_NAME},
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def private() -> Review:
    """What only Bridge's people may see: a figure, a list, a chart."""
    columns = (Column("person", "Person", "person"),)
    mine = Table("nights-of-people", "Nights of people", columns, (("zoe",),), 1, only_for="bridge")
    figure = definition("worst_night").of(9, 9, behind="nights-of-people", only_for="bridge")
    chart = replace(CHART, name="mine", title=f"{SECRET_NAME} slept badly", only_for="bridge")
    return review(definition().of(2, 2), figure, tables=(mine,), picture=(CHART, chart), trends={"worst_night": Trend(4)})


# --- words ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "unit", "words"), [
    (412, "count", "412"), (1234567, "count", "1,234,567"), (3.25, "count", "3.25"), (None, "count", "—"), (0, "count", "0"),
    (0.4134, "share", "41.3 %"), (1, "share", "100 %"), (0, "share", "0 %"), (0.99962, "share", "99.962 %"),
    (42, "seconds", "42 s"), (190, "seconds", "3 min 10 s"), (59.7, "seconds", "1 min"), (7260, "seconds", "2 h 1 min"),
    (93600, "seconds", "1 d 2 h"), (22.35, "minutes", "22.35 min"), (-3.5, "minutes", "−3.5 min"),
    (1078.76, "minutes", "1,079 min"), (2, "hours", "2 h"),
])
def test_a_value_is_said_as_people_say_it(value: float | None, unit: str, words: str) -> None:
    assert wording.amount(value, unit) == words  # type: ignore[arg-type]


def test_money_stays_in_the_currency_in_which_it_is_billed() -> None:
    assert (wording.amount(2900.4, "money", "USD"), wording.amount(3.5, "money", "EUR")) == ("2,900 USD", "3.5 EUR")


def test_instants_stand_in_the_zone_of_the_month_and_an_hour_shown_twice_says_which() -> None:
    assert wording.instant("2026-10-05T00:14:00+00:00", "Europe/Paris") == "5 Oct 02:14"
    assert wording.instant("2026-10-25T00:30:00+00:00", "Europe/Paris") == "25 Oct 02:30 CEST"
    assert wording.instant("2026-10-25T01:30:00+00:00", "Europe/Paris") == "25 Oct 02:30 CET"


@pytest.mark.parametrize(("now", "then", "unit", "better", "arrow", "words", "judgement"), [
    (412, 503, "count", "less", "▼", "18 % less than in September (503)", "better"),
    (50, 12, "count", "less", "▲", "4.2 times what it was in September (12)", "worse"),
    (3, 0, "count", "less", "▲", "3 more than in September, when it was 0", "worse"),
    (0.413, 0.40, "share", "more", "▲", "1.3 points more than in September (40 %)", "better"),
    (0.611, 0.601, "share", "", "▲", "1 point more than in September (60.1 %)", ""),
    (0.99962, 0.9995, "share", "more", "▲", "0.012 points more than in September (99.95 %)", "better"),
    (7, 7, "count", "less", "=", "unchanged since September", ""),
    (8, 4, "count", "", "▲", "4 more than in September (4)", ""),
])
def test_what_became_of_a_figure_is_said_in_words(
    now: float, then: float, unit: str, better: str, arrow: str, words: str, judgement: str
) -> None:
    found = wording.change(definition(unit=unit, better=better).of(now, 9), Trend(then), "September")
    assert (found.arrow, found.words, found.judgement) == (arrow, words, judgement)


def test_without_an_earlier_month_there_is_no_arrow_but_a_reason() -> None:
    first = Trend(None, "no earlier month")
    assert wording.change(definition().of(4, 4), first, "September") == wording.Change("no earlier month")
    assert wording.change(definition().of(None, 0, why="nothing came"), Trend(3), "September").words == "was 3 in September"
    assert wording.before("2026-01") == "December"


# --- who may see what -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["padok", None])
def test_what_is_for_one_side_never_leaves_to_the_other_in_any_form(who: str | None) -> None:
    shown = audience.shown_to(private(), who)
    drawn = {each.name: each.title.encode() for each in charts.of(shown)}
    said = str([machine.json_of(shown, DIGEST), sheets.csv(shown, DIGEST), laid.lay(shown, DIGEST, drawn)])
    assert not any(each in said for each in (SECRET_NAME, "worst_night", "nights-of-people", "zoe"))
    assert "worst_night" not in shown.trends and audience.sides(shown) == []


def test_its_own_side_sees_it_and_the_review_knows_whom_it_keeps_it_from() -> None:
    shown = audience.shown_to(private(), "bridge")
    assert "worst_night" in machine.json_of(shown, DIGEST)["figures"] and audience.sides(private()) == ["bridge"]


def test_a_figure_whose_list_is_not_shown_has_no_link() -> None:
    line = laid.lay(review(definition().of(2, 2, behind="gone")), DIGEST, {}).parts[0].lines[0]
    assert line.behind is None


def test_in_a_real_review_nothing_for_bridge_is_in_what_padok_gets() -> None:
    whole = compose(facts([group(1, called_min=1)], pages=[page(1, "2026-10-05 02:15", person="alice", organisation="bridge")]))
    kept = {each.name for section in whole.sections for each in section.tables if each.only_for == "bridge"}
    theirs = {each.name for section in audience.shown_to(whole, "padok").sections for each in section.tables}
    assert kept and not kept & theirs


# --- JSON and tables --------------------------------------------------------------------------------------------------------


def test_json_has_each_figure_with_what_it_counts_leaves_out_and_means() -> None:
    left_out = {"never acknowledged": 200, "closed by Vigie": 93}
    figure = definition("mtta_median_s", "seconds").of(190.0, 119, left_out, behind="acked")
    listed = Table("acked", "Acknowledged", (Column("alert", "Alert", "alert"),), ((142,),), 1)
    made = machine.json_of(review(figure, tables=(listed,), trends={"mtta_median_s": Trend(None, "no earlier month")}), DIGEST)
    assert (made["month"], made["version"], made["hash"]) == ("2026-10", 1, DIGEST)
    told = made["figures"]["mtta_median_s"]
    assert (told["value"], told["n"], told["excluded"]) == (190.0, 119, 293)
    assert told["definition"] == "How it is computed." and told["definition_version"] == 1 and told["unit"] == "seconds"
    assert told["left_out"] == left_out
    assert (told["before"], told["no_trend"], told["behind"]) == (None, "no earlier month", "acked")
    assert made["sections"][0]["figures"] == ["mtta_median_s"] and made["sections"][0]["tables"][0]["rows"] == [[142]]


def test_csv_has_the_figures_each_list_and_every_alert_and_no_cell_is_a_formula() -> None:
    listed = Table("titles", "Titles", (Column("title", "Title"),), (("=HYPERLINK(1)",), ("-1 of 2",), ("fine",)), 3)
    groups = [group(each, title="+cmd", resolved_min=3) for each in range(1, 1203)]
    made = sheets.csv(review(definition().of(1202, 1202, {"drills": 2}), tables=(listed,)), DIGEST, facts(groups))
    assert set(made) == {"figures.csv", "titles.csv", "alerts.csv"}
    assert [row[0] for row in csv.reader(io.StringIO(made["titles.csv"]))] == ["title", "'=HYPERLINK(1)", "'-1 of 2", "fine"]
    alerts = list(csv.DictReader(io.StringIO(made["alerts.csv"])))
    assert len(alerts) == 1202 and alerts[0]["title"] == "'+cmd" and alerts[0]["opened_at"] == "2026-10-05T12:00:00+00:00"
    figure = next(csv.DictReader(io.StringIO(made["figures.csv"])))
    assert (figure["figure"], figure["value"], figure["left_out"], figure["sha256"]) == ("volume", "1202", "drills: 2", DIGEST)


def test_all_tables_together_are_the_same_archive_each_time() -> None:
    files = sheets.csv(review(definition().of(1, 1)), DIGEST)
    assert sheets.archive(files) == sheets.archive(files)
    with zipfile.ZipFile(io.BytesIO(sheets.archive(files))) as zipped:
        assert zipped.read("figures.csv").decode("utf-8-sig") == files["figures.csv"]


# --- pictures and the PDF ---------------------------------------------------------------------------------------------------


def test_charts_are_drawn_for_the_page_and_for_slack_and_none_without_points() -> None:
    empty = replace(CHART, name="empty", points=())
    assert list(charts.draw((CHART, empty), "svg")) == ["alerts-per-day"] and charts.draw((empty,), "png") == {}
    drawn = charts.draw((CHART, empty), "svg")["alerts-per-day"].decode()
    assert drawn.startswith("<svg") and "1 Oct" in drawn and CHART.title not in drawn       # the page says it itself
    assert charts.draw((CHART,), "png")["alerts-per-day"].startswith(b"\x89PNG")


def test_every_kind_of_chart_can_be_drawn_and_so_can_one_in_which_all_is_nought() -> None:
    names = "a name that is much too long to stand below a bar", "short"
    points = tuple((place, series, 0.0) for place in names for series in ("Bridge", "Padok"))
    marks = get_args(Mark)
    drawn = charts.draw([replace(CHART, name=mark, mark=mark, points=points) for mark in marks], "svg")
    assert all(b"NaN" not in drawn[mark] and b"Padok" in drawn[mark] for mark in marks)


def test_the_pdf_of_a_review_is_the_same_each_time_and_reads_nothing_as_markup() -> None:
    hostile = Table("titles", "#panic()", (Column("title", "$x$"),), (("#panic() *bold* <a> \\ `",),), 1)
    empty = Table("none", "None", (Column("title", "Title"),), (), 0, "There was none.")
    given = review(definition().of(1, 1, behind="titles"), tables=(hostile, empty), picture=(CHART,), notes=("#panic()",))
    drawn = charts.draw(charts.of(given), "svg")
    signed = [Signed("Padok", "Inès", datetime(2026, 11, 5, 9, tzinfo=UTC))]
    made = document.pdf(given, DIGEST, drawn, signed)
    assert made.startswith(b"%PDF") and made == document.pdf(given, DIGEST, drawn, signed)


def test_version_signatures_and_digest_stand_at_the_foot() -> None:
    shown = laid.lay(review(), DIGEST, {}, [Signed("Padok", "Inès", datetime(2026, 11, 5, 9, tzinfo=UTC))])
    assert shown.state == "version 1, sealed"
    assert shown.foot == (
        "Signed for Padok by Inès, 5 Nov 2026 10:00.", "Not signed for Bridge.", laid.WHOLE.format(entries=7, sealed_to=7),
        f"SHA-256 {DIGEST}",
    )
    broken = review(journal={"entries": 7, "ok": False, "first_bad": 3, "why": "ENTRY"})
    assert laid.lay(broken, DIGEST, {}).foot[2] == "Journal: NOT whole at entry 3: ENTRY."


def test_what_cannot_be_drawn_is_told_with_its_reason() -> None:
    with pytest.raises(Unavailable, match=r"The review as charts could not be made: TypeError"):
        charts.draw((replace(CHART, points=(("a", "b", "nonsense"),)),), "svg")  # type: ignore[arg-type]


def test_without_the_extra_it_says_what_to_install() -> None:
    with pytest.raises(Misbuilt, match=r"a PDF needs nowhere_to_be_found, which is not installed. Install vigie\[report\]"):
        extra("nowhere_to_be_found", "a PDF")


# --- links ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk() -> Desk:
    config = example().model_copy(update={"public_url": "https://vigie.example.com/"})
    return Desk(create_engine("sqlite://"), config, ManualClock(), CountingIds(), link_key=b"k" * 32)


def made(desk: Desk, **more: str | None) -> str:
    found = links.link(desk, "2026-10", 1, "padok", desk.clock.now(), **more)
    assert found is not None and found.startswith("https://vigie.example.com/reports/2026-10?key=")
    return found.partition("key=")[2]


def test_a_link_opens_what_it_was_made_for_until_it_is_over(desk: Desk) -> None:
    token, now = made(desk, person="ines"), desk.clock.now()
    assert links.open_(desk, "2026-10", token, now + timedelta(days=7)) == links.Ticket("2026-10", 1, "padok", "ines")
    with pytest.raises(links.Expired) as over:
        links.open_(desk, "2026-10", token, now + timedelta(days=7, seconds=1))
    assert over.value.month == "2026-10"


def test_a_link_that_was_touched_or_is_for_another_month_or_was_signed_elsewhere_opens_nothing(desk: Desk) -> None:
    token, now = made(desk), desk.clock.now()
    elsewhere = made(replace(desk, link_key=b"other"))
    wrong = [("2026-09", token), ("2026-10", token[:-2]), ("2026-10", "x" + token), ("2026-10", ""), ("2026-10", elsewhere)]
    for month, given in wrong:
        with pytest.raises(links.Forged):
            links.open_(desk, month, given, now)


def test_where_nobody_can_reach_us_there_is_no_link(desk: Desk) -> None:
    assert links.link(replace(desk, link_key=b""), "2026-10", 1, None, desk.clock.now()) is None
    unreachable = desk.config.model_copy(update={"public_url": None})
    assert links.link(replace(desk, config=unreachable), "2026-10", 1, None, desk.clock.now()) is None


# --- a month in which nothing came ------------------------------------------------------------------------------------------


def test_in_an_empty_month_a_chapter_with_nothing_to_tell_is_one_line() -> None:
    shown = laid.lay(audience.shown_to(compose(facts()), None), "d", {})
    parts = {each.name: each for each in shown.parts}
    speaks = {name for name, each in parts.items() if each.lines}
    assert speaks == {"coverage", "sources"}, "the rota of the example has nobody, and no source sent anything"
    quiet = [each for each in shown.parts if each.name not in speaks]
    assert all(len(each.said) == 1 and not each.sheets and not each.pictures for each in quiet)
    assert parts["summary"].said == ("No alert came. Look at first: nothing stands out.",)
    assert parts["responses"].said == ("No alert was resolved.",) and "No alert came" not in " ".join(shown.notes)
    assert {each.name for each in shown.meanings} == {line.name for each in shown.parts for line in each.lines}
    assert document.pdf(audience.shown_to(compose(facts()), None), "d", {}).startswith(b"%PDF")


def test_an_empty_month_after_a_busy_one_keeps_its_first_page() -> None:
    after = compose(facts(before=past(volume=412)))
    first = laid.lay(after, "d", {}).parts[0]
    assert next(each.change.words for each in first.lines if each.name == "volume") == "100 % less than in September (412)"
    busy = laid.lay(compose(facts([group(1)])), "d", {})
    assert all(each.lines for each in busy.parts), "a month with alerts stands there whole"
