"""Ten thousand invented alerts: the review says what a second reckoning says, made from the journal alone, without our code."""

import json
import statistics
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.config.months import Maintenance
from bot.review.facts import Month
from bot.services.review import choosing, composing
from bot.services.review.facts import gathering
from bot.store.db import reader
from tests.config_stage import example
from tests.duty_stage import paris
from tests.months import Invention

ALERTS = "SELECT id, group_id, fingerprint, service, labels, recognised, signals FROM alert"
JOURNAL = "SELECT object, at, actor, kind, details FROM journal ORDER BY id"
HANDS = ("alert acked", "alert noted", "alert snoozed", "alert assigned", "alert closed", "approval signed")
LATER = datetime(2100, 1, 1, tzinfo=UTC)
WORKS = (paris("2026-10-18 02:00"), paris("2026-10-18 09:00"))


def config() -> Config:
    window = Maintenance(services=("pay-*",), start=WORKS[0], end=WORKS[1], reason="disks", agreed_by=("marie", "ines"))
    known = example()
    return known.model_copy(update={"month": known.month.model_copy(update={"maintenance": (window,)})})


def invented(engine: sa.Engine, name: str, many: int) -> tuple[Month, Invention]:
    month = choosing.named(config(), name, LATER)
    made = Invention(7, month)
    made.invent(many)
    made.write(engine)
    return month, made


# --- the second reckoning: rows by plain SQL, and dictionaries --------------------------------------------------------------


def seconds(value: Any) -> float:
    if isinstance(value, str):
        value = datetime.fromisoformat(value + "+00:00")
    return float(value.timestamp())


def reckon(engine: sa.Engine, month: Month) -> dict[str, Any]:
    """The figures of a month as rota.md 6 has them."""
    as_of, start, end = month.as_of.timestamp(), month.start.timestamp(), month.end.timestamp()
    with engine.connect() as connection:
        rows = connection.execute(sa.text(ALERTS)).all()
        told = connection.execute(sa.text(JOURNAL)).all()
    alerts = {row[0]: {"group": row[1], "print": row[2], "service": row[3], "labels": json.loads(row[4]), "known": bool(row[5]),
                       "signals": row[6], "ack": None, "well": None, "closed": None, "how": None} for row in rows}
    for object_, at, actor, kind, details in told:
        if seconds(at) <= as_of:
            happen(alerts[int(object_[6:])], seconds(at), actor, kind, json.loads(details))
    groups: dict[int, list[dict[str, Any]]] = {}
    for number in sorted(alerts):
        if "opened" in alerts[number]:
            groups.setdefault(alerts[number]["group"], []).append(alerts[number])
    units = together([unit(members) for _, members in sorted(groups.items())])
    mine = [each for each in units if start <= each["opened"] < end and "drill" not in each["labels"] and not in_works(each)]
    return figures(mine) | {"drills": sum("drill" in each["labels"] and start <= each["opened"] < end for each in units)}


def happen(alert: dict[str, Any], at: float, actor: str, kind: str, details: dict[str, Any]) -> None:
    if kind in HANDS and not actor.startswith(("vigie", "observer:")):
        alert["hand"] = min(at, alert.get("hand", at))
    if kind == "alert opened":
        alert |= {"opened": at, "ruled": any(word.startswith("rule ") for word in details["why"])}
    elif kind == "alert acked" and alert["ack"] is None:
        alert["ack"] = at
    elif kind == "alert recovered":
        alert["well"] = at
    elif kind == "alert relapsed":
        alert["well"] = None
    elif kind == "alert closed":
        alert |= {"closed": at, "how": details.get("ending", "person")}


def unit(members: list[dict[str, Any]]) -> dict[str, Any]:
    first, over = members[0], all(each["closed"] for each in members)
    how = {each["how"] for each in members}
    end = max(each["well"] or each["closed"] for each in members) if over else None
    hand = min((each["hand"] for each in members if "hand" in each), default=None)
    worked = end is not None and hand is not None and hand <= end
    return {
        "opened": first["opened"], "labels": first["labels"], "service": first["service"],
        "prints": {each["print"] for each in members}, "signals": sum(each["signals"] for each in members),
        "known": any(each["known"] or each["service"] != "unknown" or each["ruled"] for each in members),
        "ack": min((each["ack"] for each in members if each["ack"]), default=None),
        "end": end, "worked": worked,
        "how": "open" if not over else "person" if worked else next(one for one in ("person", "fixed", "healed") if one in how),
    }


def together(units: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What comes back within half an hour of its end is the same."""
    last: dict[str, dict[str, Any]] = {}
    found = []
    for each in units:
        before = [last.get(print_) for print_ in each["prints"]]
        same = before[0] if before[0] is not None and all(one is before[0] for one in before) else None
        if same and same["end"] is not None and each["opened"] - same["end"] <= 1800:
            worked = same["worked"] or each["worked"] or same["how"] == "person"
            how = "person" if worked and each["how"] != "open" else each["how"]
            same |= {"end": each["end"], "how": how, "worked": worked, "signals": same["signals"] + each["signals"],
                     "ack": same["ack"] or each["ack"], "known": same["known"] or each["known"]}
        else:
            found.append(each)
            last |= dict.fromkeys(each["prints"], each)
    return found


def in_works(unit: dict[str, Any]) -> bool:
    return bool(unit["service"].startswith("pay-") and WORKS[0].timestamp() <= unit["opened"] < WORKS[1].timestamp())


def figures(mine: list[dict[str, Any]]) -> dict[str, Any]:
    acked = sorted(each["ack"] - each["opened"] for each in mine if each["ack"])
    ended = sorted(each["end"] - each["opened"] for each in mine if each["end"])
    how, names = Counter(each["how"] for each in mine), Counter(each["labels"]["name"] for each in mine)
    return {
        "volume": len(mine), "healed_share": how["healed"] / len(mine), "auto_closed_share": how["fixed"] / len(mine),
        "person_closed_share": how["person"] / len(mine), "still_open_share": how["open"] / len(mine),
        "mtta_mean_s": statistics.fmean(acked), "mtta_median_s": statistics.median(acked), "mtta_p90_s": ninetieth(acked),
        "mttr_mean_s": statistics.fmean(ended), "mttr_median_s": statistics.median(ended), "mttr_p90_s": ninetieth(ended),
        "unrecognised_share": sum(not each["known"] for each in mine) / len(mine), "repeat_rate": 1 - len(names) / len(mine),
        "top10_share": sum(count for _, count in names.most_common(10)) / len(mine),
        "noise_ratio": 1 - len(mine) / sum(each["signals"] for each in mine),
    }


def ninetieth(ranked: list[float]) -> float:
    return next(value for place, value in enumerate(ranked, 1) if place * 10 >= len(ranked) * 9)


# --- the two agree ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, many", [("2026-10", 10_000), ("2026-03", 2_000)])
def test_the_review_and_a_second_reckoning_agree_on_all_that_they_count(engine: sa.Engine, name: str, many: int) -> None:
    month, _ = invented(engine, name, many)
    with reader(engine) as connection:
        facts = gathering.facts(connection, config(), month)
    said = composing.compose(facts).figures

    expected = reckon(engine, month)

    assert len(facts.drills) == expected.pop("drills") > 5
    assert name != "2026-10" or len(facts.maintained) > 0
    assert {each: said[each].value for each in expected if each in said} == pytest.approx(expected, rel=1e-9)
