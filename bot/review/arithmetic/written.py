"""A review as a document: the JSON that is kept and hashed, and back."""

import hashlib
import json
from functools import cache

from pydantic import TypeAdapter

from bot.review import Review


@cache
def _adapter() -> TypeAdapter[Review]:
    return TypeAdapter(Review)


def to_json(review: Review) -> str:
    """The same text for the same review, whatever made it."""
    return json.dumps(_adapter().dump_python(review, mode="json"), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Review:
    return _adapter().validate_json(text)


def digest(review: Review) -> str:
    """SHA-256 of its JSON, in hex."""
    return hashlib.sha256(to_json(review).encode()).hexdigest()
