"""The bench measures what it says, on real processes: its smallest storm is taken whole, its shortest soak loses nothing."""

import json
from collections.abc import Iterator

import pytest
from rich.console import Console

from bench import growth, people, report, soak, storm
from bench.databases import Sqlite, count
from bench.scale import TINY
from bench.sending import percentile
from bench.stage import Stage, stage
from bench.weather import DEATHS, SLACK, forecast


@pytest.fixture
def set_up() -> Iterator[Stage]:
    with stage() as made:
        yield made


def test_a_storm_of_the_bench_is_taken_whole_and_told_beside_the_floor(set_up, tmp_path, monkeypatch):
    monkeypatch.setattr(storm, "AFTER_S", 1.0)
    monkeypatch.setattr(storm, "troubles", lambda *_given: {})

    found = {"sqlite": {"storm": storm.run(set_up, Sqlite(set_up.folder), TINY)}}
    report.write(found, tmp_path / "results.json")

    taken = json.loads((tmp_path / "results.json").read_text())["sqlite"]["storm"]
    assert (taken["taken"], taken["signals"], taken["alerts"]) == (TINY.events, TINY.events, TINY.alerts)
    assert taken["floor"]["taken"] == TINY.events
    console = Console(record=True, width=120)
    report.show(found, console)
    assert "share_of_floor" in console.export_text()


def test_a_past_of_closed_alerts_is_stored_with_all_that_belongs_to_it(set_up):
    url = Sqlite(set_up.folder).fresh()

    growth.store_past(url, 50, base=1_000)

    assert (count(url, "alert", "state = 'closed'"), count(url, "signal"), count(url, "post")) == (50, 100, 50)


def test_percentiles_are_values_that_were_seen():
    assert percentile([3, 1, 2, 5, 4], 0.5) == 3
    assert percentile(range(1000), 0.99) == 990
    assert percentile([], 0.99) == 0


def test_a_soak_of_seconds_in_bad_weather_loses_nothing_and_a_bad_figure_would_be_named(set_up, monkeypatch):
    monkeypatch.setattr(soak, "PROBATION_MIN", 0)
    monkeypatch.setattr(people, "GAP_S", 0.3)

    found = soak.run(set_up, Sqlite(set_up.folder), minutes=0.15, seed=1)

    assert soak.lost(found) == {}
    assert found["answered_2xx"] > 0 and found["kills"] > 0 and found["stops"] > 0
    assert found["alerts"] > 0 and found["cards_per_alert"] == 1 and found["people_answered"] > 0
    assert soak.lost({**found, "doubled": 1}) == {"doubled": 1}


def test_the_weather_of_a_soak_is_that_of_its_seed_and_brings_every_fault():
    hour = forecast(1, 3600)

    assert hour == forecast(1, 3600) != forecast(2, 3600)
    assert {each.death for each in hour} == {"", *DEATHS}
    assert {name for each in hour for name in each.faults} == set(SLACK)
    assert max(each.at_s for each in hour if each.death) < 2400
