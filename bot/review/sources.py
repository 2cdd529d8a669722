"""Source health: what each observer sent, how long it was silent, and which endpoint sent nothing at all."""

from collections.abc import Iterator, Sequence

from bot.review import N_, Chart, Column, Definition, Facts, Figure, Figures, Section, chapter
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import length
from bot.review.facts import Source

TITLE = N_("Sources")
SOURCES, SILENT = "sources", "silent-sources"

QUIET = N_("Sent nothing this month: {names}.")
LONGEST = N_("The longest silence of one that did send was that of {observer} ({endpoint}): {lasted}.")
REFUSED = N_("{count} notifications were refused or could not be read: see the list.")
NO_ENDPOINT = N_("no endpoint is configured")
CHARTED = N_("{observer} sent most of the notifications: {count} of {all}")
NONE_SPOKE = N_("no endpoint sent anything")
CHART_ALT = N_("Notifications by observer: {counts}.")
MANY = 12                   # observers of a chart
SOURCE = "rota.md 6.3; PCI DSS 10.7"

SIGNALS = Definition(
    "notifications", N_("Notifications"), N_("What sources sent in the month and was taken, repeats and recoveries too."),
    "count", source=SOURCE)
SILENT_COUNT = Definition(
    "silent_sources", N_("Sources that sent nothing"), N_(
        "Endpoints of vigie.yaml from which nothing came in the whole month: either all was well, or their way to us is broken."
    ), "count", source=SOURCE, better="less")
LONGEST_S = Definition(
    "longest_silence_s", N_("Longest silence"), N_(
        "The longest time between two notifications of one observer, or between one and an end of the month; observers that sent "
        "nothing are counted by themselves."
    ), "seconds", source=SOURCE, better="less")
UNREAD = Definition(
    "notifications_refused", N_("Refused or unreadable"), N_(
        "What came and was not believed (refused: counted since the counting began, for it leaves no row) or could not be read."
    ), "count", source=SOURCE, better="less")


@chapter("sources", TITLE, 12)
def sources(facts: Facts, figures: Figures) -> Section:
    silent = _silent(facts)
    return Section("sources", TITLE, tuple(_said(facts, silent)), tuple(_figures(facts, silent)), (
        listing(SOURCES, TITLE, (
            Column("endpoint", N_("Endpoint")), Column("observer", N_("Observer")), Column("source", N_("Source")),
            Column("side", N_("Side")), Column("signals", N_("Notifications"), "count"), Column("share", N_("Share"), "share"),
            Column("groups", N_("Alerts"), "count"), Column("last", N_("Last"), "instant"),
            Column("silence", N_("Longest silence"), "seconds"), Column("dropped", N_("Refused"), "count"),
            Column("unreadable", N_("Unreadable"), "count"),
        ), _rows(facts), N_("Nothing came.")),
        listing(SILENT, N_("Sent nothing this month"), (
            Column("endpoint", N_("Endpoint")), Column("source", N_("Source")), Column("side", N_("Side")),
        ), ((name, its.source, _side(facts, its.organisation)) for name, its in facts.config.endpoints.items() if name in silent),
            N_("Every endpoint sent something.")),
    ), tuple(_charts(facts)))


def _silent(facts: Facts) -> list[str]:
    spoke = {each.endpoint for each in facts.sources if each.signals}
    return [each for each in facts.config.endpoints if each not in spoke]


def _said(facts: Facts, silent: Sequence[str]) -> Iterator[str]:
    if silent:
        yield QUIET.format(names=", ".join(silent))
    if longest := _longest(facts):
        yield LONGEST.format(observer=longest.observer, endpoint=longest.endpoint, lasted=length(longest.longest_silence_s or 0))
    if refused := sum(each.dropped + each.unreadable for each in facts.sources):
        yield REFUSED.format(count=refused)


def _figures(facts: Facts, silent: Sequence[str]) -> Iterator[Figure]:
    sent, endpoints, longest = sum(each.signals for each in facts.sources), len(facts.config.endpoints), _longest(facts)
    yield SIGNALS.of(sent, sent, behind=SOURCES)
    yield SILENT_COUNT.of(len(silent) if endpoints else None, endpoints, behind=SILENT, why=None if endpoints else NO_ENDPOINT)
    yield LONGEST_S.of(
        longest.longest_silence_s if longest else None,
        sum(each.signals > 0 for each in facts.sources if each.endpoint in facts.config.endpoints), behind=SOURCES,
        why=None if longest else NONE_SPOKE)
    refused = sum(each.dropped + each.unreadable for each in facts.sources)
    yield UNREAD.of(refused, sent + refused, behind=SOURCES)


def _longest(facts: Facts) -> Source | None:
    """Of those that should send; what Vigie says of itself is no source."""
    known = facts.config.endpoints
    spoke = (each for each in facts.sources if each.endpoint in known and each.signals and each.longest_silence_s is not None)
    return max(spoke, key=lambda each: each.longest_silence_s or 0, default=None)


def _rows(facts: Facts) -> Iterator[Sequence[Given]]:
    everything = sum(each.signals for each in facts.sources)
    for each in sorted(facts.sources, key=lambda one: (-one.signals, one.endpoint, one.observer)):
        yield (each.endpoint, each.observer, each.source, _side(facts, each.organisation), each.signals,
               share(each.signals, everything), each.groups, each.last_at, each.longest_silence_s, each.dropped, each.unreadable)


def _side(facts: Facts, organisation: str) -> str:
    found = facts.config.organisations.get(organisation)
    return found.name if found else organisation


def _charts(facts: Facts) -> Iterator[Chart]:
    counted: dict[str, int] = {}
    for each in facts.sources:
        counted[each.observer] = counted.get(each.observer, 0) + each.signals
    most = sorted(((count, name) for name, count in counted.items() if count), key=lambda each: (-each[0], each[1]))[:MANY]
    if not most:
        return
    count, observer = most[0]
    yield Chart(
        "notifications-by-observer", CHARTED.format(observer=observer, count=count, all=sum(counted.values())),
        CHART_ALT.format(counts=", ".join(f"{name} {number}" for number, name in most)), "bars", N_("observer"),
        N_("notifications"), tuple((name, "", float(number)) for number, name in most),
    )
