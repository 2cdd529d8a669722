"""Days that were read from clouds: of each its newest reading, and why others could not be read."""

from bot.review.facts import Facts, Measure

UNREAD = "unread"           # the kind of what says why a day could not be read


def newest(facts: Facts, kind: str, subject: str | None = None) -> list[Measure]:
    """What was read last of each subject and day of the month, in order; without `subject`, of all."""
    month, found = facts.month, dict[tuple[str, str], Measure]()
    days = {*month.days()}
    for each in facts.measures:
        known = found.get((each.subject, each.day.isoformat()))
        meant = each.kind == kind and subject in (None, each.subject) and each.day in days and each.read_at <= month.as_of
        if meant and (known is None or known.read_at < each.read_at):
            found[each.subject, each.day.isoformat()] = each
    return [found[key] for key in sorted(found)]


def why_unread(facts: Facts, kind: str, subject: str) -> str | None:
    """What the last try that failed was told, if the newest try of all failed."""
    told = [each for each in facts.measures if each.kind == UNREAD and each.subject == f"{kind} {subject}"]
    last = max(told, key=lambda each: each.read_at, default=None)
    read = max((each.read_at for each in newest(facts, kind, subject)), default=None)
    return str(last.body.get("why")) if last and (read is None or read < last.read_at) else None
