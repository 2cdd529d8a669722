"""PCI DSS v4.0.1: which requirement each list that Vigie can give is evidence of, what it shows, what it cannot show."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Evidence:
    """One list: its name is that of its file."""

    name: str
    requirement: str
    shows: str
    source: str                             # where it is from
    cannot: str                             # what an assessor must ask of somebody else
    columns: tuple[str, ...]


EVIDENCE = (
    Evidence(
        "masked-card-numbers", "3.4.1, 3.5.1, 12.10.7", "Card numbers that came in, masked before they were kept, by source",
        "bodies of the month's signals, as they are kept",
        "Whether the source still holds them: that is the source's log to mend",
        ("endpoint", "source", "masked"),
    ),
    Evidence(
        "accounts", "7.2.4, 8.2.1, 8.2.5, 8.2.6", "Every account with its roles; leavers; who was idle for more than 90 days",
        "vigie.yaml, the journal, Slack's word of who was deactivated",
        "Accounts of Slack, AWS and Datadog themselves; that somebody has reviewed this list (every six months)",
        ("person", "name", "organisation", "kind", "slack", "roles", "may", "starts", "ends", "deactivated", "last_act",
         "idle_90_days"),
    ),
    Evidence(
        "rights-of-the-partner", "7.2.1, 7.2.2, 8.2.7", "What the partner's people may run, when, with whose second signature",
        "the mandates of vigie.yaml; all else is refused", "The contract itself",
        ("mandate", "organisation", "starts", "ends", "clause", "runbooks", "services", "hours", "second"),
    ),
    Evidence(
        "partner-refused", "8.2.7, 10.2.1.4",
        "What the partner's people asked for and did not get: rights hold within their duty",
        "the journal", "What they did outside of Vigie", ("at", "person", "kind", "object", "origin", "details"),
    ),
    Evidence(
        "logged-events", "10.2.1.2-10.2.1.7, 10.2.2",
        "What the log has of the month, by kind; entries that lack who, what, when, outcome, origin or object: there are none",
        "the journal", "Access to card data (Vigie has none), and the logs of Slack, AWS and Datadog", ("kind", "entries"),
    ),
    Evidence(
        "log-integrity", "10.3.2, 10.3.4, 10.5.1, 10.6.1",
        "That the audit trail is sealed and unbroken, and how far back it goes; its instants are UTC",
        "the journal's seals; `vigie audit verify` walks all of it",
        "Copies at a central log server; the host's clock against a time source", ("what", "value"),
    ),
    Evidence(
        "exceptions", "10.2.1.2, 10.2.1.4, 10.4.3",
        "What a daily review looks at: broken glass, waivers, refusals, changes of rights", "the journal",
        "More than the first 20,000 of a month", ("at", "person", "kind", "object", "origin", "details"),
    ),
    Evidence(
        "daily-reviews", "10.4.1, 10.4.1.1", "That the log is looked at each day by automated means: it is sealed",
        "the journal's seals, the handoffs", "A person's signature under each day's exceptions: nobody signs them in Vigie",
        ("what", "value"),
    ),
    Evidence(
        "control-failures", "10.7.2, 10.7.3", "Failures of what watches: when, how long, what, who ended it",
        "Vigie's own alerts, the journal", "Why, and what was done against it: that stands in the notes of the alert",
        ("at", "until", "minutes", "what", "ended_by", "about"),
    ),
    Evidence(
        "drills", "12.10.2, 12.10.4", "Drills of the month, and drilled incidents of six months",
        "alerts and incidents marked as drills", "Who was trained, and in what", ("at", "service", "title", "about"),
    ),
    Evidence(
        "coverage", "12.10.3", "That in each minute somebody was designated and reachable; each gap",
        "published shifts, else the plan", "That whoever was designated is trained",
        ("coverage", "role", "from", "to", "minutes", "covered", "percent"),
    ),
    Evidence(
        "alerting-sources", "12.10.5", "Which systems' alerts are received, how many nobody recognised, the longest silences",
        "the signals of the month", "Systems that are not connected: compare with the list of the assessed environment",
        ("endpoint", "source", "organisation", "observer", "signals", "alerts", "unrecognised_of_source", "longest_silence_s"),
    ),
    Evidence(
        "lessons", "12.10.6", "What both sides decided after looking at the month's alerts and incidents, and what became of it",
        "the decisions of the monthly reviews", "Changes of the response plan itself",
        ("decision", "month", "text", "kind", "side", "owner", "due", "state", "ended"),
    ),
    Evidence(
        "responsibilities", "12.8.5, 12.9.2", "Which side does what", "vigie.yaml and the month's shifts",
        "Responsibilities that are agreed elsewhere", ("what", "who", "where_it_stands"),
    ),
)
