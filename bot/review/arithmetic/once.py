"""What several sections ask of the same facts is worked out once, and kept beside them for as long as they live."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from bot.review.facts import Facts

Answer = TypeVar("Answer")


def once(work: Callable[[Facts], Answer]) -> Callable[[Facts], Answer]:
    """Of a pure function of the facts, whose answer nobody changes."""
    @wraps(work)
    def kept(facts: Facts) -> Answer:
        if work not in facts.answers:
            facts.answers[work] = work(facts)
        found: Answer = facts.answers[work]
        return found
    return kept
