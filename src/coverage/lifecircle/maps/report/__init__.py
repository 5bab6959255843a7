"""Scenarios side by side on paper: what an official reads and signs.

paper      type, tables and pages; text from data is never markup
words      headings, in Chinese and English
picture    the map of a set of stations, in lines and areas
tables     the figures of all scenarios
contents   what stands where
"""

from lifecircle.maps.report.contents import comparison_report

__all__ = ["comparison_report"]
