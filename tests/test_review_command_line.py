"""`vigie review`: a month from the database alone, in each form; what is wrong is told in a sentence."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot import reviewing
from bot.errors import Misbuilt, Refused
from bot.review.forms import document
from bot.reviewing import Wanted
from bot.settings import load_settings
from tests.config_stage import EXAMPLE, example
from tests.processes import vigie

OCTOBER = "2026-10"

Asked = Callable[..., tuple[str, list[str]]]


@pytest.fixture
def ask(sqlite_engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What it writes out, and what it says, in a folder of its own."""
    settings = load_settings({"DATABASE_URL": str(sqlite_engine.url)})
    monkeypatch.chdir(tmp_path)

    def asked(month: str | None = OCTOBER, **more: object) -> tuple[str, list[str]]:
        out, said = io.StringIO(), list[str]()
        reviewing.review(settings, example(), Wanted(month, **more), out, said.append)  # type: ignore[arg-type]
        return out.getvalue(), said

    return asked


def test_json_goes_out_with_every_figure_and_its_definition(ask: Asked) -> None:
    out, said = ask(form="json")
    made = json.loads(out)
    assert (made["month"], made["version"], made["state"], said) == (OCTOBER, 0, "provisional", [])
    assert len(made["hash"]) == 64 and made["sections"][0]["name"] == "summary"
    assert {"value", "n", "excluded", "definition", "definition_version", "unit", "behind"} <= set(made["figures"]["volume"])
    assert made["figures"]["volume"]["value"] == 0 and made["figures"]["mtta_median_s"]["value"] is None
    assert all(isinstance(each["excluded"], int) for each in made["figures"].values())


def test_the_same_database_has_the_same_review_each_time(ask: Asked) -> None:
    assert ask(form="json") == ask(form="json")


def test_a_month_with_nothing_is_printed_whole_and_says_so(ask: Asked, tmp_path: Path) -> None:
    out, said = ask()
    assert out == "" and said[0] == "vigie-2026-10-unsealed.html: 2026-10, not sealed, for both sides."
    assert "No earlier month." in said
    assert "Left out is what only Bridge may see: --for bridge has it." in said and said[-1].startswith("SHA-256 ")
    text = (tmp_path / "vigie-2026-10-unsealed.html").read_text()
    assert text.count("No alert came. Look at first: nothing stands out.") == 1 and 'id="part-actions"' in text


def test_what_is_only_for_one_side_is_asked_for_by_its_name(ask: Asked, tmp_path: Path) -> None:
    shared, _ = ask(form="json")
    mine, _ = ask(form="json", side="bridge")
    assert '"only_for": "bridge"' not in shared and '"only_for": "padok"' not in mine
    assert len(mine) > len(shared)
    _, said = ask(form="pdf", side="bridge", folder=Path("for/managers"))
    assert said[0] == "for/managers/vigie-2026-10-unsealed-bridge.pdf: 2026-10, not sealed, for Bridge."
    assert (tmp_path / "for/managers/vigie-2026-10-unsealed-bridge.pdf").read_bytes().startswith(b"%PDF")


def test_csv_goes_out_as_figures_and_into_a_folder_with_every_list_and_all_alerts(ask: Asked, tmp_path: Path) -> None:
    figures = list(csv.DictReader(io.StringIO(ask(form="csv")[0])))
    assert figures[0]["figure"] == "volume" and figures[0]["month"] == OCTOBER
    _, said = ask(form="csv", folder=Path("out"))
    kept = {each.name for each in (tmp_path / "out/vigie-2026-10-unsealed").iterdir()}
    assert {"figures.csv", "alerts.csv", "sources.csv"} <= kept and len(kept) > 30
    assert said[0].startswith("out/vigie-2026-10-unsealed: 2026-10")


def test_without_a_month_it_is_the_last_that_is_over(ask: Asked) -> None:
    assert json.loads(ask(None, form="json")[0])["end"] <= json.loads(ask(None, form="json")[0])["as_of"]


@pytest.mark.parametrize(("month", "more", "words"), [
    ("october", {}, '"october" is no month: write year and month, as 20'),
    ("2026-13", {}, '"2026-13" is no month'),
    ("2099-01", {}, "2099-01 has not begun: the newest month that can be looked at is 20"),
    (OCTOBER, {"version": 3}, "There is no version 3 of the review of 2026-10: none is sealed yet."),
    (OCTOBER, {"side": "eve"}, "There is no organisation eve in vigie.yaml: bridge, padok."),
    (OCTOBER, {"form": "csv", "side": "eve"}, "There is no organisation eve in vigie.yaml: bridge, padok."),
])
def test_what_cannot_be_is_refused_in_a_sentence(ask: Asked, month: str, more: dict[str, object], words: str) -> None:
    with pytest.raises(Refused) as refusal:
        ask(month, **more)
    assert str(refusal.value).startswith(words)


def test_a_folder_that_cannot_be_written_to_is_named(ask: Asked, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Refused, match="taken is not a folder that can be written to"):
        ask(form="pdf", folder=Path("taken"))


def test_without_the_extra_a_pdf_says_what_to_install_and_json_does_without(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MODULES", ("nowhere_to_be_found",))
    with pytest.raises(Misbuilt, match=r"Install vigie\[report\]"):
        ask(form="pdf")
    assert json.loads(ask(form="json")[0])["month"] == OCTOBER


def test_the_command_has_its_options_and_ends_with_one_for_a_fault(sqlite_engine: sa.Engine, tmp_path: Path) -> None:
    given = {"DATABASE_URL": str(sqlite_engine.url), "VIGIE_CONFIG": str(EXAMPLE)}
    done = vigie("review", OCTOBER, "--format", "json", "--for", "padok", cwd=tmp_path, given=given)
    assert (done.returncode, json.loads(done.stdout)["month"]) == (0, OCTOBER), done.stderr
    wrong = vigie("review", "2026-1", cwd=tmp_path, given=given)
    assert (wrong.returncode, wrong.stdout) == (1, "") and "is no month" in wrong.stderr
    assert vigie("review", OCTOBER, "--format", "docx", cwd=tmp_path, given=given).returncode == 2
