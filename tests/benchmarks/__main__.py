"""Measure this package beside other tools.

    make bench
    PYTHONPATH=tests .venv-bench/bin/python -m benchmarks --only T1,T3 --graphs grid --peers scipy,networkx

Without ``--only`` and ``--quick`` everything is measured, in some ten minutes, and kept in results.md beside this file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from pyproj import CRS

from benchmarks import dispatching, drawings, fresh, lookup
from benchmarks.graphs import grid
from benchmarks.measure import Section
from benchmarks.peers import ALL
from benchmarks.porto import PORTO, PORTO_CRS, porto
from benchmarks.table import marks, notes, page, timings
from benchmarks.walking import SEARCHES, searches

PARTS = (*SEARCHES, "T4", "T5", "memory", "PBF", "start", "made-up", "siting", "dispatch")
GRAPHS = ("porto", "grid")


def measured(parts: Sequence[str], graphs: Sequence[str], peers: Sequence[str], side: int) -> Iterator[Section]:
    """Yield every piece of work that was asked for, as it is done."""
    region = porto() if PORTO.exists() and "porto" in graphs and {*SEARCHES, "T4"} & {*parts} else None
    if not PORTO.exists():
        yield Section("porto", notes=[f"not measured: {PORTO.name} is not here"])
    if {*SEARCHES} & {*parts}:
        made = [region] if region else []
        yield from searches([*made, grid(side)] if "grid" in graphs else made, parts, peers)
    if "T4" in parts and region:
        yield lookup.lookup_section(region, CRS(PORTO_CRS))
    if "T4" in parts:
        yield from lookup.barriers_section()
    if "T5" in parts:
        yield drawings.drawings_section()
    if "memory" in parts:
        yield fresh.memory_section(side)
    if "PBF" in parts and PORTO.exists():
        yield fresh.pbf_section() if find_spec("pyrosm") else Section("PBF", notes=["pyrosm is not installed"])
    if "start" in parts:
        yield fresh.start_section()
    if "made-up" in parts:
        yield fresh.made_up_section()
    if "siting" in parts and find_spec("spopt"):
        from benchmarks.siting import siting_sections

        yield from siting_sections()
    elif "siting" in parts:
        yield Section("siting", notes=["spopt is not installed"])
    if "dispatch" in parts:
        yield dispatching.dispatch_section()


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure this package beside other tools.")
    names = [peer.name for peer in ALL]
    for option, choices in (("only", PARTS), ("graphs", GRAPHS), ("peers", names)):
        parser.add_argument(f"--{option}", default=",".join(choices), help="some of %(default)s")
    parser.add_argument("--quick", action="store_true", help="a small grid alone, to see that everything runs")
    asked = parser.parse_args(argv)
    only, graphs, peers = (value.split(",") for value in (asked.only, asked.graphs, asked.peers))
    sections = []
    for section in measured(only, ["grid"] if asked.quick else graphs, peers, side=60 if asked.quick else 1000):
        sections.append(section)
        print("\n".join([*timings(section), *marks(section), *notes(section)]), flush=True)
    text = page(sections)
    print("\n" + text)
    if not asked.quick and (set(only), set(graphs), set(peers)) == (set(PARTS), set(GRAPHS), set(names)):
        Path(__file__).with_name("results.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
