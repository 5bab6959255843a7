"""Lots of buildings in rows, each with its ways, gates and wall: housing, works, schools, hospitals, malls, parks."""

from __future__ import annotations

import numpy as np

from lifecircle.synthetic.blocks.frontage import shop_rows
from lifecircle.synthetic.blocks.gates import approaches, choose_entries, gates, walls
from lifecircle.synthetic.blocks.lots import lane_ways, part_plots
from lifecircle.synthetic.blocks.parts import Part, all_houses, all_lines
from lifecircle.synthetic.blocks.plots import Plots
from lifecircle.synthetic.blocks.rows import lay_rows, row_houses, row_ways
from lifecircle.synthetic.blocks.uses import figures


def fill_lots(plots: Plots, random: np.random.Generator) -> Part:
    """Return what stands on plots that are parted into lots; a building's compound is the number of its lot."""
    lots, lanes = part_plots(plots, random)
    lots, layout = lay_rows(lots, random)
    entries = choose_entries(lots, layout.leaves_at_m, random)
    leaves = np.zeros((len(lots.use), 4), dtype=bool)
    leaves[entries.lot, entries.side] = True
    gated = random.random(len(lots.use)) < figures("walled")[lots.use]

    houses = row_houses(plots, lots, layout, random)
    shops = shop_rows(plots, lots, entries, random)
    inner = row_ways(plots, lots, layout, leaves, gated, random)
    outer, outer_edge, outer_joint = approaches(plots, lots, lanes, entries)
    met = lots.lane[entries.lot, entries.side]
    between, between_edge, between_joint = lane_ways(plots, lanes, met[met >= 0], entries.at_m[met >= 0])
    gate_tags, gate_m = gates(plots, lots, entries, gated, random)
    return Part(
        houses=all_houses([houses, shops]),
        walls=walls(plots, lots, entries, gated),
        gates=gate_tags,
        gate_m=gate_m,
        ways=all_lines([inner, outer, between]),
        joint_edge=np.concatenate([outer_edge, between_edge]),
        joint_m=np.concatenate([outer_joint, between_joint]),
    )
