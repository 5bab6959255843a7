"""What to look at in the field: the places where most residents hang on one gate, one leg, one door or one count.

passages    gates and private ways: who would lose or win a circle if they were shut or open
sheet       these, doors, legs and counts, most residents first, as a sheet that comes back as ``overrides``
"""

from lifecircle.field_check.sheet import COLUMNS, field_check

__all__ = ["COLUMNS", "field_check"]
