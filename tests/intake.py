"""A file read the way a study reads an input, for tests of what becomes of it."""

from lifecircle.conform import conform
from lifecircle.errors import Breach
from lifecircle.readers.files import locate
from lifecircle.readers.inputs import Input
from lifecircle.readers.layers import read_placed


def read(path, layer="stations", **stated):
    """Read a file as an input of a layer: its table, None where it is refused, and what was told."""
    located = locate(Input(layer, path.name, **stated), path.parent)
    if isinstance(located, Breach):
        return None, [located]
    table, _, breaches = read_placed(located)
    if table is None:
        return None, breaches
    typed, found = conform(layer, table)
    return typed, [*breaches, *found]


def told(breaches):
    return {b.rule: (b.ids, b.severity) for b in breaches}
