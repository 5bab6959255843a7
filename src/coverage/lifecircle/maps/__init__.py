"""Results as self-contained interactive pages, and how QGIS draws them; draws, and computes nothing."""

from lifecircle.maps.check import check_page
from lifecircle.maps.compare import comparison_page
from lifecircle.maps.page import coverage_page
from lifecircle.maps.requests import requests_page
from lifecircle.maps.styles import STYLES, layer_styles

__all__ = ["STYLES", "check_page", "comparison_page", "coverage_page", "layer_styles", "requests_page"]
