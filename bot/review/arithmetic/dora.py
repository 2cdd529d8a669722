"""Major or not, by articles 6, 8 and 9 of delegated regulation (EU) 2024/1772. Pure; not legal advice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from bot.review import N_

RULES = "2024/1772"
CLIENTS_SHARE, CLIENTS, COUNTERPARTS_SHARE, TRANSACTIONS_SHARE = 0.10, 100_000, 0.30, 0.10
DURATION_H, DOWNTIME_H, MEMBER_STATES, COSTS_EUR, ENOUGH = 24.0, 2.0, 2, 100_000, 2

CRITICAL = N_("it affects services that support critical or important functions (art. 6(a))")
SUPERVISED = N_("it affects financial services that need an authorisation (art. 6(b))")
ACCESS = N_("it is a successful, malicious and unauthorised access (art. 6(c))")
NO_GATE = N_("no critical service is affected (art. 6): it cannot be major, whatever else was met")
MALICIOUS = N_("malicious access that may lead to a loss of data (art. 9(5)(b)): enough by itself")
FEW, MANY = N_("{count} of the 2 other thresholds that are needed"), N_("{count} thresholds; 2 are needed")
LONG, DOWN = N_("it lasts {value:g} h, more than 24"), N_("critical services are down for {value:g} h, more than 2")
OPEN = N_("not answered yet: {names}")


@dataclass(frozen=True, slots=True)
class Answers:
    """The worksheet. None: nobody knows yet. Shares are 0 to 1, lengths in hours."""

    critical: bool | None = None            # the gate, art. 6
    supervised: bool | None = None
    access: bool | None = None
    clients: int | None = None              # how many are affected
    clients_share: float | None = None      # of those who use the service
    counterparts_share: float | None = None
    transactions_share: float | None = None         # of the daily average number
    amount_share: float | None = None               # of the daily average amount
    relevant: bool | None = None            # clients or counterparts that matter for the business or the market
    media: bool | None = None               # reputation, art. 2
    complaints: bool | None = None
    regulation: bool | None = None          # cannot, or probably cannot, meet a regulatory requirement
    lost_clients: bool | None = None
    duration_h: float | None = None
    downtime_h: float | None = None         # of services that support critical or important functions
    member_states: int | None = None
    data_loss: bool | None = None           # with adverse effect on objectives or compliance: art. 9(5)(a)
    data_at_risk: bool | None = None        # a malicious access that may lead to a loss of data: art. 9(5)(b)
    costs_eur: float | None = None          # or likely
    estimated: bool = True


@dataclass(frozen=True, slots=True)
class Threshold:
    """One criterion of art. 9. `met` None: not answered."""

    name: str
    article: str
    met: bool | None
    said: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the worksheet says, and why."""

    major: bool
    gate: bool | None
    reasons: tuple[str, ...]
    thresholds: tuple[Threshold, ...]
    open: tuple[str, ...]                   # names of what is not answered and could still make it major

    @property
    def met(self) -> tuple[Threshold, ...]:
        return tuple(each for each in self.thresholds if each.met)


def classify(given: Answers) -> Result:
    """Major: the gate of art. 6, and either a malicious access with possible loss of data or two other thresholds of art. 9.

    The gate is not one of the two.
    """
    gate = _any(given.critical, given.supervised, given.access)
    thresholds = tuple(_thresholds(given))
    met = sum(each.met is True for each in thresholds)
    major = gate is True and (given.data_at_risk is True or met >= ENOUGH)
    unknown = [] if major or gate is False else _open(given, gate, thresholds)
    return Result(major, gate, tuple(_reasons(given, gate, thresholds, unknown)), thresholds, tuple(unknown))


def _open(given: Answers, gate: bool | None, thresholds: Iterable[Threshold]) -> list[str]:
    names = [each.name for each in thresholds if each.met is None]
    names += ["malicious access"] if given.data_at_risk is None else []
    return (["critical services"] if gate is None else []) + names


def _reasons(given: Answers, gate: bool | None, thresholds: tuple[Threshold, ...], unknown: list[str]) -> Iterator[str]:
    if gate is False:
        yield NO_GATE
    for said, true in ((CRITICAL, given.critical), (SUPERVISED, given.supervised), (ACCESS, given.access)):
        if true:
            yield said
    if given.data_at_risk:
        yield MALICIOUS
    met = [each for each in thresholds if each.met]
    yield from (f"{each.said} ({each.article})" for each in met)
    if gate is not False and not given.data_at_risk:
        yield (MANY if len(met) >= ENOUGH else FEW).format(count=len(met))
    if unknown:
        yield OPEN.format(names=", ".join(unknown))


def _thresholds(given: Answers) -> Iterator[Threshold]:
    """The thresholds of which two are enough; art. 9(5)(b) is not among them."""
    yield _of(N_("clients, counterparts, transactions"), "art. 9(1)", list(_reach(given)))
    yield _of(N_("reputation"), "art. 9(2)", [
        (given.media, N_("the media report it")), (given.complaints, N_("clients complain repeatedly")),
        (given.regulation, N_("a regulatory requirement cannot be met")), (given.lost_clients, N_("clients are lost")),
    ])
    downtime = given.downtime_h if given.critical is not False else None if given.downtime_h is None else 0.0
    yield _of(N_("duration and downtime"), "art. 9(3)", [
        (_over(given.duration_h, DURATION_H), LONG.format(value=_round(given.duration_h))),
        (_over(downtime, DOWNTIME_H), DOWN.format(value=_round(downtime))),
    ])
    states = None if given.member_states is None else given.member_states >= MEMBER_STATES
    yield _of(N_("member states"), "art. 9(4)", [(states, N_("{value} member states").format(value=given.member_states))])
    yield _of(N_("loss of data"), "art. 9(5)(a)", [(given.data_loss, N_("data are lost, with adverse effect"))])
    costs = N_("costs of {value:,.0f} EUR, more than 100,000").format(value=given.costs_eur or 0)
    yield _of(N_("costs and losses"), "art. 9(6)", [(_over(given.costs_eur, COSTS_EUR), costs)])


def _reach(given: Answers) -> Iterator[tuple[bool | None, str]]:
    shares = (
        (given.clients_share, CLIENTS_SHARE, N_("{value:.1%} of the clients of the service, more than 10 %")),
        (given.counterparts_share, COUNTERPARTS_SHARE, N_("{value:.1%} of the counterparts, more than 30 %")),
        (given.transactions_share, TRANSACTIONS_SHARE, N_("{value:.1%} of a day's transactions, more than 10 %")),
        (given.amount_share, TRANSACTIONS_SHARE, N_("{value:.1%} of a day's amount, more than 10 %")),
    )
    yield _over(given.clients, CLIENTS), N_("{value:,} clients, more than 100,000").format(value=given.clients or 0)
    for value, limit, said in shares:
        yield _over(value, limit), said.format(value=value or 0)
    yield given.relevant, N_("relevant clients or counterparts are affected")


def _of(name: str, article: str, parts: list[tuple[bool | None, str]]) -> Threshold:
    """Met when one of its parts is, whatever is not known of the others."""
    said = "; ".join(words for met, words in parts if met)
    return Threshold(name, article, _any(*(met for met, _ in parts)), said)


def _any(*parts: bool | None) -> bool | None:
    """True if one is; None if one that is not known could be; else False."""
    if any(parts):
        return True
    return None if None in parts else False


def _over(value: float | None, limit: float) -> bool | None:
    return None if value is None else value > limit


def _round(value: float | None) -> float:
    return round(value or 0, 2)


def together(all_of_them: Iterable[Answers]) -> Answers:
    """Recurring incidents as one: what can be added up is, of the rest the worst counts (art. 8(2))."""
    given = list(all_of_them)
    sums = {"clients", "duration_h", "downtime_h", "costs_eur", "clients_share", "counterparts_share", "transactions_share",
            "amount_share"}
    kept: dict[str, object] = {"estimated": any(each.estimated for each in given)}
    for name in (each.name for each in fields(Answers) if each.name != "estimated"):
        known = [value for each in given if (value := getattr(each, name)) is not None]
        total = (sum(known) if name in sums else max(known)) if known else None
        kept[name] = min(1.0, total) if total is not None and name.endswith("_share") else total
    return Answers(**kept)  # type: ignore[arg-type]
