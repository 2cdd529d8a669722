"""`python -m bench [SCENE] [--quick] [--database KIND]` measures; `python -m bench soak [--minutes N] [--seed N]` soaks."""

import sys
import time
from typing import Annotated, Any

import typer

from bench import growth, kill, latency, memory, month, report, soak, storm
from bench.databases import KINDS, Database
from bench.processes import Broken
from bench.scale import FULL, QUICK, Scale
from bench.stage import Stage, stage

SCENES = {"storm": storm.run, "latency": latency.run, "memory": memory.run, "growth": growth.run, "month": month.run,
          "kill": kill.run}
UNKNOWN = "There is no {kind} called {name}; there are: {names}."
UNDER_WAY = "{database}: {scene} ..."
TOOK = " {seconds:.0f} s"
SOAK = "soak"
LOST = "{database}: {figures}: there is a bug."
NOTHING_LOST = "Nothing was lost."


def main(
    scene: Annotated[str, typer.Argument(help="storm, latency, memory, growth, month, kill, all, or soak")] = "all",
    quick: Annotated[bool, typer.Option(help="Smaller numbers: a look, not a measurement.")] = False,
    database: Annotated[str, typer.Option(help="sqlite or postgresql; else both.")] = "",
    minutes: Annotated[float, typer.Option(help="Of soak: how long, on each database.")] = 60,
    seed: Annotated[int, typer.Option(help="Of soak: the same seed brings the same faults at the same times.")] = 1,
) -> None:
    """Storms, latency, memory, growth, reviews and kill -9, on real processes; prints a table, writes bench/results.json.

    `soak`: a busy platform in bad weather, instead; prints what was lost, and fails if that is anything.
    """
    if scene == SOAK:
        raise typer.Exit(_soak(_chosen("database", database, KINDS), minutes, seed))
    scenes = _chosen("scene", "" if scene == "all" else scene, SCENES)
    kinds = _chosen("database", database, KINDS)
    results: dict[str, Any] = {"machine": report.machine(), "quick": quick}
    with stage() as set_up:
        for kind in kinds:
            results[kind] = _measure(set_up, kind, scenes, QUICK if quick else FULL)
    report.show({kind: results[kind] for kind in kinds})
    report.write(results)


def _chosen(kind: str, name: str, known: dict[str, Any]) -> list[str]:
    if name and name not in known:
        raise typer.BadParameter(UNKNOWN.format(kind=kind, name=name, names=", ".join(known)))
    return [name] if name else list(known)


def _soak(kinds: list[str], minutes: float, seed: int) -> int:
    results = {}
    with stage() as set_up:
        for kind in kinds:
            opened: Database = KINDS[kind](set_up.folder)
            try:
                sys.stderr.write(UNDER_WAY.format(database=opened.name, scene=SOAK) + "\n")
                results[kind] = soak.run(set_up, opened, minutes, seed)
            finally:
                opened.close()
    report.show({kind: {SOAK: found} for kind, found in results.items()})
    bad = [LOST.format(database=kind, figures=_listed(lost)) for kind, found in results.items() if (lost := soak.lost(found))]
    typer.echo("\n".join(bad) or NOTHING_LOST)
    return 1 if bad else 0


def _listed(figures: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in figures.items())


def _measure(set_up: Stage, kind: str, scenes: list[str], scale: Scale) -> dict[str, Any]:
    opened: Database = KINDS[kind](set_up.folder)
    try:
        return {scene: _timed(set_up, opened, scene, scale) for scene in scenes}
    finally:
        opened.close()


def _timed(set_up: Stage, opened: Database, scene: str, scale: Scale) -> Any:
    sys.stderr.write(UNDER_WAY.format(database=opened.name, scene=scene))
    sys.stderr.flush()
    began = time.monotonic()
    try:
        found = SCENES[scene](set_up, opened, scale)
    except (Broken, TimeoutError) as fault:     # the other scenes are still worth their time
        found = {"broken": str(fault) or "not all was answered in time"}
    sys.stderr.write(TOOK.format(seconds=time.monotonic() - began) + "\n")
    return found


if __name__ == "__main__":
    typer.run(main)
