"""The programmes whose figures the made-up cities are built to.

A figure marked "theirs" stands in the report of the programme; every other one is made up, with the reason beside it.
"""

from collections.abc import Mapping
from types import MappingProxyType

from lifecircle.synthetic.programme import Programme
from lifecircle.synthetic.programmes.fushun import FUSHUN
from lifecircle.synthetic.programmes.nanming import NANMING
from lifecircle.synthetic.programmes.puyang import PUYANG
from lifecircle.synthetic.programmes.qiandongnan import QIANDONGNAN

PROGRAMMES: Mapping[str, Programme] = MappingProxyType({p.name: p for p in (FUSHUN, PUYANG, QIANDONGNAN, NANMING)})
"""The programmes by name."""
