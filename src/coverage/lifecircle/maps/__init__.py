"""Results as one self-contained interactive page; draws, and computes nothing."""

from lifecircle.maps.page import coverage_page

__all__ = ["coverage_page"]
