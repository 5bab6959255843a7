"""Made-up cities by name, written as study folders."""

from __future__ import annotations

from pathlib import Path

from lifecircle.errors import UnknownNameError
from lifecircle.samples import new_folder
from lifecircle.schema import nearest
from lifecircle.synthetic.grid import make_grid
from lifecircle.synthetic.make import Step, make_city
from lifecircle.synthetic.messy import write_messy
from lifecircle.synthetic.programmes import PROGRAMMES
from lifecircle.synthetic.write import write_study

GRID = "grid"
"""The example that is no programme's."""


def write_example(
    folder: Path, example: str, *, size: float, side: int, seed: int, messy: bool = False, step: Step
) -> None:
    """Make a city up and write it into a new or empty folder.

    Parameters
    ----------
    example
        A programme's name, or `GRID`.
    size, messy
        How many times the programme's own numbers, and whether the city is written as offices keep it; no grid's.
    side
        Crossings on a side of the grid; no programme's.
    step
        Told what is under way.

    Raises
    ------
    UnknownNameError
        When there is no such example.
    OutputError
        When the folder holds something already, or cannot be made or written.
    """
    if example not in (known := [*PROGRAMMES, GRID]):
        hint = nearest(example, known)
        advice = f"did you mean {hint}?" if hint else f"there are {', '.join(known)}"
        raise UnknownNameError(f"there is no example {example!r}; {advice}")
    extent = f"--side {side}" if example == GRID else f"--size {size}"
    command = f"lifecircle new DIR --example {example} {extent} --seed {seed}" + (" --messy" if messy else "")
    with new_folder(folder) as draft:
        if example == GRID:
            with step("Laying out the grid"):
                city = make_grid(side, seed=seed)
        else:
            city = make_city(PROGRAMMES[example], size=size, seed=seed, step=step)
        with step("Writing the study"):
            (write_messy if messy else write_study)(draft, city, command)
