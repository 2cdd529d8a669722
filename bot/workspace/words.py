"""Text between people and wire: what is typed becomes Slack's markup, and markup says who is meant."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.workspace.messages import Conversation
from bot.workspace.seed import Seed

MARKUP = re.compile(r"(<[@#!][^<>\s]*>)")
PERSON = re.compile(r"<@([UW]\w+)")
GROUP = re.compile(r"<!subteam\^(\w+)")
EVERYBODY = re.compile(r"<!(here|channel|everyone)\b")
TO_EVERYBODY = ("here", "channel", "everyone")


def escaped(text: str) -> str:
    """Slack escapes three characters and no more."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def from_composer(text: str, seed: Seed, with_names: bool = False) -> str:
    """A typed line as Slack sends it on: `@Name` and `#channel` become references, the rest is escaped."""
    handles = references(seed, with_names)
    longest_first = sorted(map(re.escape, handles), key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)({'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
    parts = MARKUP.split(text)
    return "".join(
        part if MARKUP.fullmatch(part) else pattern.sub(known(handles), escaped(part)) for part in parts
    )


def known(handles: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    return lambda match: handles[match.group(1).lower()]


def references(seed: Seed, with_names: bool) -> dict[str, str]:
    """What may be typed, in lower case, and the markup it stands for; commands carry the name beside the id."""
    found = {f"@{word}": f"<!{word}>" for word in TO_EVERYBODY}
    for group in seed.groups:
        found[f"@{group.handle}".lower()] = f"<!subteam^{group.id}>"
    people = [(person.id, person.name, person.real_name) for person in seed.people]
    for id_, name, real_name in [*people, (seed.app.user_id, seed.app.name, seed.app.name)]:
        reference = f"<@{id_}|{name.lower()}>" if with_names else f"<@{id_}>"
        found |= {f"@{name}".lower(): reference, f"@{escaped(real_name)}".lower(): reference}
    for channel in seed.channels:
        found[f"#{channel.name}".lower()] = f"<#{channel.id}|{channel.name}>" if with_names else f"<#{channel.id}>"
    return found


def texts(value: Any) -> Iterator[str]:
    """Every text inside blocks."""
    if isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from texts(inner)


def mentioned(text: str, blocks: Any, conversation: Conversation, groups: Mapping[str, list[str]]) -> frozenset[str]:
    """Who is called by a new message: by name, by group, or because all are."""
    whole = "\n".join([text, *texts(blocks)])
    called = set(PERSON.findall(whole))
    for group in GROUP.findall(whole):
        called.update(groups.get(group, ()))
    if conversation.with_person or EVERYBODY.search(whole):
        called |= conversation.members
    return frozenset(called & conversation.members)
