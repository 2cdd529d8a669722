"""The last guard before Slack: no call of somebody in blackout passes it, however it is written and nested."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.services.slack.drawing import Drawing, File, section
from bot.services.slack.hush import Asleep, awake_for, hush
from bot.store.cards import Post
from tests.config_stage import example

CONFIG = example()
NIGHT, DAY = datetime(2026, 11, 24, 2, 14, tzinfo=UTC), datetime(2026, 11, 24, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, 23, tzinfo=UTC)       # in Paris
SAMPLES = Path(__file__).parent / "samples"
DRAWN = Path(__file__).parents[2] / "shared" / "payloads"


def quiet(text: str, at: datetime = NIGHT) -> tuple[str, set[str]]:
    said = hush(CONFIG, Drawing(text), at)
    return said.drawing.text, set(said.held)


def walked(block: dict[str, Any], at: datetime = NIGHT) -> dict[str, Any]:
    return hush(CONFIG, Drawing("", [block]), at).drawing.blocks[0]


def post(channel: str, key: str = "direct:1") -> Post:
    return Post(1, key, "direct", None, channel, "{}", 1, 0, NIGHT, NIGHT, 0, None, None, None, None, 0)


@pytest.mark.parametrize(("text", "said", "held"), [
    ("<@U0ALICE001> look", "Alice look", {"alice"}),
    ("<@U0ALICE001|al> and <@U0PAUL0001>", "Alice and Paul", {"alice", "paul"}),
    ("<@U0LEA00001> look", "<@U0LEA00001> look", set()),
    ("<@U0EVE00001> look", "@somebody look", set()),
    ("<!here> <!channel|channel> <!everyone>", "@here @channel @everyone", set()),
    ("<!subteam^S0ASTREINT|@astreinte>", "@astreinte", set()),
    ("<!subteam^S0ASTREINT>", "@group", set()),
    ("<!date^1795000000^{time}|02:14 UTC> <https://x.example|it> &lt;@U0ALICE001&gt;",
     "<!date^1795000000^{time}|02:14 UTC> <https://x.example|it> &lt;@U0ALICE001&gt;", set()),
])
def test_at_night_a_call_of_a_sleeper_or_of_everybody_becomes_a_name(text: str, said: str, held: set[str]) -> None:
    assert quiet(text) == (said, held)


def test_by_day_people_and_their_group_may_be_called_but_never_everybody() -> None:
    assert quiet("<@U0ALICE001> <!subteam^S0ASTREINT> <!here>", DAY)[0] == "<@U0ALICE001> <!subteam^S0ASTREINT> @here"


def test_what_might_still_be_on_its_way_at_midnight_calls_nobody() -> None:
    assert quiet("<@U0ALICE001>", MIDNIGHT - timedelta(seconds=11))[0] == "<@U0ALICE001>"
    assert quiet("<@U0ALICE001>", MIDNIGHT - timedelta(seconds=10))[0] == "Alice"
    assert quiet("<@U0ALICE001>", MIDNIGHT + timedelta(hours=8))[0] == "<@U0ALICE001>"


def test_rich_text_is_looked_through_and_what_slack_never_shows_is_left() -> None:
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
        {"type": "user", "user_id": "U0ALICE001"}, {"type": "user", "user_id": "U0LEA00001"},
        {"type": "broadcast", "range": "here"}, {"type": "usergroup", "usergroup_id": "S0ASTREINT"},
    ]}]}
    said = walked(rich)["elements"][0]["elements"]
    assert said == [
        {"type": "text", "text": "Alice"}, {"type": "user", "user_id": "U0LEA00001"}, {"type": "text", "text": "@here"},
        {"type": "text", "text": "@group"},
    ]
    button = {"type": "button", "value": "<@U0ALICE001>", "text": {"type": "plain_text", "text": "<@U0ALICE001>"}}
    assert walked({"type": "actions", "elements": [button]})["elements"][0] == {
        "type": "button", "value": "<@U0ALICE001>", "text": {"type": "plain_text", "text": "Alice"},
    }


def test_slack_may_find_no_names_that_were_not_marked() -> None:
    assert walked({"type": "section", "text": {"type": "mrkdwn", "text": "@here"}})["text"]["verbatim"] is True


def test_a_files_comment_is_guarded_and_the_file_stays() -> None:
    file = File("a.txt", "a", "a", b"<@U0ALICE001>")
    assert hush(CONFIG, Drawing("<@U0ALICE001>", file=file), NIGHT).drawing == Drawing("Alice", file=file)


def test_a_direct_message_waits_for_the_end_of_the_blackout_but_for_broken_glass() -> None:
    with pytest.raises(Asleep) as caught:
        awake_for(CONFIG, post("U0PAUL0001"), NIGHT)
    assert caught.value.until == datetime(2026, 11, 24, 7, tzinfo=UTC)
    awake_for(CONFIG, post("U0PAUL0001", "glass:call:1:paul"), NIGHT)
    awake_for(CONFIG, post("U0PAUL0001"), DAY)
    awake_for(CONFIG, post("U0LEA00001"), NIGHT)
    with pytest.raises(Asleep):
        awake_for(CONFIG, post("U0ALICE001", "glass:call:1:alice"), NIGHT)


texts = some.lists(some.sampled_from(
    ("<", "@", "!", "U0ALICE001", "<@U0ALICE001>", "<@U0PAUL0001|p>", "<!here>", "<!subteam^S1|x>", "|", ">", "&lt;", " a "),
), max_size=9).map("".join)
parts = some.recursive(
    texts | some.none() | some.integers(), lambda inner: some.lists(inner, max_size=3) | some.dictionaries(
        some.sampled_from(("text", "elements", "title", "type", "fields", "alt_text")), inner, max_size=3), max_leaves=8,
)


@given(parts, texts)
def test_whatever_is_nested_how_no_call_of_a_sleeper_is_left(part: Any, text: str) -> None:
    said = hush(CONFIG, Drawing(text, [{"type": "section", "x": part}]), NIGHT).drawing
    left = said.text + json.dumps(said.blocks)
    assert not re.search(r"<@U0(ALICE001|PAUL0001)|<!(here|subteam)", left.replace(r"\"", ""))
    again = hush(CONFIG, said, NIGHT)
    assert (again.drawing, again.held) == (said, frozenset())


def test_no_stored_message_calls_a_sleeper_after_the_guard() -> None:
    files = [each for folder in (SAMPLES, DRAWN) if folder.exists() for each in sorted(folder.rglob("*.json"))]
    for each in files[:400]:
        text = each.read_text(errors="replace")
        said = hush(CONFIG, Drawing(text[:9_000], [section(text[:2_900])]), NIGHT).drawing
        left = said.text + json.dumps(said.blocks)
        assert not re.search(r"<@U0(ALICE|BRUNO|PAUL|MARIE)\w*|<!(here|channel|everyone)[|>]", left), each
