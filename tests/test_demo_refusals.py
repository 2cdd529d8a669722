"""The demo's first minute: what is refused is told in a sentence, and a demo that plays is not cleared away."""

from pathlib import Path

import pytest

from bot import demo
from bot.errors import Misbuilt
from tests.processes import free_port, running, vigie


def refused(cwd: Path, **given: str) -> str:
    done = vigie("demo", cwd=cwd, given=given)
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr.strip()


@pytest.mark.parametrize("value", ["abc", "0", "-1", "80.5", "65536", "nan"])
def test_a_wrong_port_is_told_with_the_right_ones(value: str) -> None:
    with pytest.raises(Misbuilt) as told:
        demo.set_stage({"DEMO_PORT": value})
    assert str(told.value) == demo.BAD_PORT.format(value=value)


@pytest.mark.parametrize("value", ["fast", "-3", "nan", "inf"])
def test_a_wrong_speed_is_told_with_the_usual_one(value: str) -> None:
    with pytest.raises(Misbuilt) as told:
        demo.set_stage({"DEMO_PORT": str(free_port()), "DEMO_SPEED": value})
    assert str(told.value) == demo.BAD_SPEED.format(value=value)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / demo.STAGE).write_text("no folder")
    said = refused(tmp_path, DEMO_PORT=str(free_port()))
    assert said.startswith(f"The demo keeps its files in {tmp_path / demo.STAGE}, and that cannot be written (")


def test_a_demo_that_plays_is_neither_cleared_nor_joined_and_check_is_about_it(tmp_path: Path) -> None:
    port = free_port()
    given = {"DEMO_PORT": str(port), "DEMO_SPEED": "0"}
    with running("demo", cwd=tmp_path, given=given, ready=f"http://127.0.0.1:{port}/health/ready"):
        assert refused(tmp_path, **given) == demo.PORT_TAKEN.format(port=port, other=port + 1)
        assert refused(tmp_path, DEMO_PORT=str(free_port())) == demo.PLAYED_HERE
        assert vigie("status", cwd=tmp_path).stdout.startswith("Nothing is open")
        check = vigie("check", "--online", cwd=tmp_path)
        assert check.returncode == 0, check.stdout
        assert "⚠" not in check.stdout, check.stdout


def test_a_story_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Misbuilt, match=r"DEMO_STORY=winter is no story: .* say autumn or spring or month"):
        demo.set_stage({"DEMO_STORY": "winter"})
