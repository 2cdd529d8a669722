"""What people send that nobody types: control signs and halves of letters, which no database takes."""

import pytest
import sqlalchemy as sa

from bot.entrypoints import modals, wording
from bot.services.alert import inquiry, response
from bot.services.slack import logbook
from bot.store import alerts, journal, notes
from tests.story import ALICE, CONFIG, arrive, desk_on, signal

BAD = "a\0b\x1b[31m\ud800c\u202ed"


def noted(engine: sa.Engine, text: str) -> str:
    desk = desk_on(engine)
    arrive(desk, signal())
    with desk.read() as connection:
        alert = response.alerts.recent(connection)[0]
    response.note(desk, alert, ALICE, text)
    with desk.read() as connection:
        return str(notes.of_alert(connection, alert.id)[0].text)


def test_a_note_typed_with_control_signs_is_kept_without_them(engine: sa.Engine) -> None:
    assert noted(engine, " ".join(wording.words(BAD, CONFIG))) == "ab[31m\ufffdcd"


def test_a_note_filled_in_with_control_signs_is_kept_without_them(engine: sa.Engine) -> None:
    blocks = [{"type": "input", "block_id": "text"}]
    filled = {"text": {"value": {"type": "plain_text_input", "value": BAD}}}
    view = {"callback_id": "vigie:note", "blocks": blocks, "state": {"values": filled}}
    assert noted(engine, modals.filled(view).words[1]) == "ab[31m\ufffdcd"


@pytest.mark.parametrize("observer", ["alice", "vigie"])
def test_a_sender_that_calls_itself_like_a_person_does_not_become_one(sqlite_engine: sa.Engine, observer: str) -> None:
    desk = desk_on(sqlite_engine)
    arrive(desk, signal(observer=observer))
    with desk.read() as connection:
        (entry,) = journal.all_entries(connection)
        alert = alerts.recent(connection)[0]

    assert entry.actor == f"observer:{observer}"
    assert f"opened · {observer}:" in str(logbook.draw(CONFIG, alert, [entry]).blocks)
    assert f"alert opened · {observer}" in inquiry.about(desk, alert)


@pytest.mark.parametrize("hostile", [{"state": None}, {"state": {"values": None}}, {"state": {"values": {"text": None}}},
                                     {"private_metadata": "zz"}, {"private_metadata": "[1]"}, {"callback_id": None}])
def test_a_form_with_holes_is_read_as_an_empty_one(hostile: dict[str, object]) -> None:
    filled = modals.filled({"callback_id": "vigie:note", **hostile})
    assert (filled.words[1:], filled.ref, filled.channel) == ((), None, None)
