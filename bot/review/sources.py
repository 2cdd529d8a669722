"""Source health: what each observer sent, and how long it was silent."""

from bot.review import N_, Column, Facts, Figures, Section, chapter
from bot.review.arithmetic.listing import listing

TITLE = N_("Sources")
SILENT = N_("Longest silence")


@chapter("sources", TITLE, 12)
def sources(facts: Facts, figures: Figures) -> Section:
    rows = tuple(
        (each.endpoint, each.observer, each.signals, each.groups, each.longest_silence_s, each.dropped, each.unreadable)
        for each in facts.sources
    )
    columns = (
        Column("endpoint", N_("Endpoint")), Column("observer", N_("Observer")), Column("signals", N_("Notifications"), "count"),
        Column("groups", N_("Alerts"), "count"), Column("silence", SILENT, "seconds"), Column("dropped", N_("Refused"), "count"),
        Column("unreadable", N_("Unreadable"), "count"),
    )
    return Section("sources", TITLE, tables=(listing("sources", TITLE, columns, rows, N_("Nothing came.")),))
