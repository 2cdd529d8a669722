"""Authority: nobody may anything who is not in vigie.yaml by workspace and person, and a refusal says who could."""

import pytest

from bot.errors import Refused
from bot.services.leave import authority
from tests.story import CONFIG


def test_a_person_is_known_by_workspace_and_person() -> None:
    actor = authority.authorise(CONFIG, "T0BRIDGE01", "U0LEA00001", "slack C0ALERTS01")
    assert (actor.key, actor.organisation, actor.origin) == ("lea", "padok", "slack C0ALERTS01")


@pytest.mark.parametrize(
    ("team", "user"),
    [("T0EVIL0001", "U0EVE00001"), ("T0EVIL0001", "U0ALICE001"), (None, "U0ALICE001"), ("", "U0ALICE001"),
     ("T0BRIDGE01", "U0EVE00001"), ("T0BRIDGE01", ""), ("T0BRIDGE01", "alice")],
)
def test_everybody_else_is_refused_and_told_whom_to_ask(team: str | None, user: str) -> None:
    with pytest.raises(Refused, match="Ask Paul to add you"):
        authority.authorise(CONFIG, team, user, "slack C0ALERTS01")


@pytest.mark.parametrize(
    ("person", "levels"),
    [("U0ALICE001", "read write act"), ("U0PAUL0001", "read write act"), ("U0MARIE001", "read write")],
)
def test_roles_decide_what_a_person_may_do(person: str, levels: str) -> None:
    actor = authority.authorise(CONFIG, "T0BRIDGE01", person, "slack")
    assert " ".join(each for each in authority.ROLES if authority.may(actor.roles, each)) == levels


def test_a_refusal_names_colleagues_who_could() -> None:
    marie = authority.authorise(CONFIG, "T0BRIDGE01", "U0MARIE001", "slack")
    with pytest.raises(Refused) as caught:
        authority.require(CONFIG, marie, "close", "act")
    assert str(caught.value) == "`close` is for engineers and leads; vigie.yaml lists you as manager. Ask Alice, Paul or Léa."
