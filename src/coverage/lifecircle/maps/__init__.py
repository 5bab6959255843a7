"""Results as self-contained interactive pages; draws, and computes nothing."""

from lifecircle.maps.check import check_page
from lifecircle.maps.page import coverage_page

__all__ = ["check_page", "coverage_page"]
