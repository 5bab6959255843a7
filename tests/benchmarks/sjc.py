"""The streets of São José dos Campos (SJC324, SJC402, SJC500; L. Lorena), a library with known optima for covers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lifecircle.model import FloatArray, Walks
from lifecircle.siting import FewestStations, MostResidents, Question

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "siting" / "mclp"


@dataclass(frozen=True)
class Listed:
    """A question about an instance, and the optimum that the library lists for it."""

    instance: str
    question: Question
    optimum: float

    def __str__(self) -> str:
        objective = self.question.objective
        with_new = "" if self.question.n_new is None else f" {self.question.n_new} new"
        return f"{self.instance} {objective.name} {objective.standards[0].cutoff_s:.0f}{with_new}"


def listed(folder: Path = FOLDER) -> Iterator[Listed]:
    """Yield every question whose optimum is listed; metres stand where the questions say seconds."""
    with (folder / "optima.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            radius = float(row["radius"])
            question = (
                Question(FewestStations(radius, share=1.0))
                if row["problem"] == "LSCP"
                else Question(MostResidents(radius), n_new=int(row["p"]))
            )
            yield Listed(row["instance"], question, float(row["optimal_value"]))


def instance(name: str, cutoff: float, folder: Path = FOLDER) -> tuple[Walks, FloatArray]:
    """Return the straight lines between all points of an instance up to a cutoff, and the demand at each point."""
    lines = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()[1:]
    table = np.array([[float(number) for number in line.split()] for line in lines if line.strip()])
    metres = np.hypot(*(table[:, None, :2] - table[:, :2]).transpose(2, 0, 1))
    site, home = np.nonzero(metres <= cutoff)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(site, minlength=len(table)))])
    return Walks(indptr, home.astype(np.int32), metres[site, home], len(table)), table[:, 2]
