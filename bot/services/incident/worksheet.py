"""The classification worksheet as people fill it in: names of its questions, what an answer may look like. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import timedelta
from typing import Any

from bot.config.months import Regulator
from bot.errors import Refused
from bot.review.arithmetic.dora import Answers
from runbooks.model import length

NO_NUMBER = "{name} \"{given}\" is no number: say 12000, or a share as 8%."
NO_SHARE = "{name} \"{given}\" is no share: say 8%, at most 100%."
NO_DAY = "{name} \"{given}\" is a number, and vigie.yaml does not say of how many (`transactions_a_day`): say a share as 8%."
NO_LENGTH = "{name} \"{given}\" is no length of time: say 3h, 1h30m or 2d4h."
NO_TICK = "{name} has no answer \"{given}\": say one or more of {known}, or none."
NO_YES = "{name} \"{given}\" is neither yes nor no: say {name}=yes or {name}=no."
NO_QUESTION = "The worksheet has no question {given}; it asks {known}. A tick is said as gate=critical, or as critical=yes."

TICKS: Mapping[str, tuple[tuple[str, str, str], ...]] = {       # question: (answer, field, as the form shows it)
    "gate": (
        ("critical", "critical", "ICT services of critical or important functions"),
        ("supervised", "supervised", "Financial services that need an authorisation"),
        ("access", "access", "A successful, malicious, unauthorised access"),
    ),
    "reputation": (
        ("media", "media", "The media report it"), ("complaints", "complaints", "Clients complain repeatedly"),
        ("regulation", "regulation", "A regulatory requirement cannot be met"),
        ("lost-clients", "lost_clients", "Clients are, or will be, lost"),
    ),
    "data": (
        ("loss", "data_loss", "Data lost, with adverse effect on goals or compliance"),
        ("at-risk", "data_at_risk", "Malicious access that may lead to data losses"),
    ),
}
TICKED = {answer: field for each in TICKS.values() for answer, field, _ in each}        # each may be said by itself too
SHARES = {"counterparts": "counterparts_share", "amount": "amount_share"}
LENGTHS = {"duration": "duration_h", "downtime": "downtime_h"}
QUESTIONS = (
    "gate", "clients", "counterparts", "transactions", "amount", "relevant", "reputation", "duration", "downtime", "states",
    "data", "costs",
)
YES, NO, NONE = ("yes", "true", "y"), ("no", "false", "n"), "none"
HUNDRED, HOUR_S = 100, 3600
_NUMBER, _SHARE = re.compile(r"(\d{1,12}(?:[.]\d+)?)"), re.compile(r"(\d{1,3}(?:[.]\d+)?)\s*%")


def read(given: Mapping[str, str], known: Answers, regulator: Regulator | None, whole: bool = False) -> Answers:
    """What was answered, upon what is known. `whole`: a form came back, so what is empty there is empty, and not ticked is no.

    Raises Refused, naming the question and what would be right.
    """
    if strange := [name for name in given if name not in (*QUESTIONS, *TICKED)]:
        raise Refused(NO_QUESTION.format(given=strange[0][:40], known=", ".join(QUESTIONS)))
    if whole:
        known = Answers()
    values: dict[str, Any] = {}
    for name in QUESTIONS:
        text = " ".join(given.get(name, "").split())
        if text:
            values |= _answer(name, text, regulator)
        elif whole and name in TICKS:
            values |= _ticks(name, [])
    alone = {TICKED[name]: _yes(name, given[name].strip()) for name in given if name in TICKED}
    return replace(known, **values | alone)


def _answer(name: str, text: str, regulator: Regulator | None) -> dict[str, Any]:
    if name in TICKS:
        return _ticks(name, [] if text.lower() == NONE else [each.strip().lower() for each in text.split(",")])
    if name == "clients":
        return _clients(text, regulator)
    if name == "transactions":
        return {"transactions_share": _transactions(text, regulator)}
    if name in SHARES:
        return {SHARES[name]: _share(name, text)}
    if name in LENGTHS:
        return {LENGTHS[name]: _hours(name, text)}
    if name == "relevant":
        return {"relevant": _yes(name, text)}
    number = _number(name, text)
    return {"member_states": int(number)} if name == "states" else {"costs_eur": number}


def _ticks(name: str, chosen: Iterable[str]) -> dict[str, bool]:
    ticked = set(filter(None, chosen))
    known = [answer for answer, _, _ in TICKS[name]]
    if strange := ticked - set(known):
        raise Refused(NO_TICK.format(name=name, given=min(strange)[:40], known=", ".join(known)))
    return {field: answer in ticked for answer, field, _ in TICKS[name]}


def _clients(text: str, regulator: Regulator | None) -> dict[str, Any]:
    """12000, 8 %, or both; a number becomes a share too where vigie.yaml says of how many."""
    shared = _SHARE.search(text)
    left = _SHARE.sub("", text).replace(";", " ").strip(" ,")
    count = int(_number("clients", left)) if left else None
    of = regulator.clients if regulator else None
    part = _share("clients", shared[0]) if shared else min(1.0, count / of) if count is not None and of else None
    return {"clients": count, "clients_share": part}


def _transactions(text: str, regulator: Regulator | None) -> float:
    if "%" in text:
        return _share("transactions", text)
    count, of = _number("transactions", text), regulator.transactions_a_day if regulator else None
    if of is None:
        raise Refused(NO_DAY.format(name="transactions", given=text[:20]))
    return count / of


def _share(name: str, text: str) -> float:
    found = _SHARE.fullmatch(text.replace(",", "."))
    value = float(found[1]) / HUNDRED if found else None
    if value is None or value > 1:
        raise Refused(NO_SHARE.format(name=name, given=text[:20]))
    return value


def _number(name: str, text: str) -> float:
    found = _NUMBER.fullmatch(re.sub(r"(?<=\d)[ ,'_](?=\d{3})", "", text))
    if found is None:
        raise Refused(NO_NUMBER.format(name=name, given=text[:20]))
    return float(found[1])


def _hours(name: str, text: str) -> float:
    try:
        return length(text.replace(" ", "")) / timedelta(hours=1)
    except ValueError:
        raise Refused(NO_LENGTH.format(name=name, given=text[:20])) from None


def _yes(name: str, text: str) -> bool:
    if text.lower() not in (*YES, *NO):
        raise Refused(NO_YES.format(name=name, given=text[:20]))
    return text.lower() in YES


# --- back to words ----------------------------------------------------------------------------------------------------------


def spoken(known: Answers) -> dict[str, str]:
    """The answers as they would be typed; what is not known is left out."""
    said = {
        name: ",".join(answer for answer, field, _ in each if getattr(known, field)) for name, each in TICKS.items()
    }
    clients = [f"{known.clients}"] if known.clients is not None else []
    clients += [_percent(known.clients_share)] if known.clients_share is not None else []
    said |= {"clients": " ".join(clients), "transactions": _percent(known.transactions_share)}
    said |= {name: _percent(getattr(known, field)) for name, field in SHARES.items()}
    said |= {name: _length(getattr(known, field)) for name, field in LENGTHS.items()}
    said |= {"relevant": "" if known.relevant is None else "yes" if known.relevant else "no"}
    said |= {"states": "" if known.member_states is None else f"{known.member_states}"}
    said |= {"costs": "" if known.costs_eur is None else f"{known.costs_eur:.0f}"}
    return {name: each for name, each in said.items() if each}


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * HUNDRED:.6g}%"


def _length(hours: float | None) -> str:
    """Rounded up to a minute: a limit that is passed by seconds stays passed."""
    if hours is None:
        return ""
    minutes = -int(-hours * 60 // 1)
    return f"{minutes // 60}h{minutes % 60}m"


def dump(answers: Answers) -> dict[str, Any]:
    return asdict(answers)


def load(given: Mapping[str, Any]) -> Answers:
    """What was kept; a question that an older or newer Vigie asked is left out."""
    known = {each.name for each in fields(Answers)}
    return Answers(**{name: value for name, value in given.items() if name in known})
