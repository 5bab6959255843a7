"""Compiled code over arrays: nothing here knows what a home or a station is. Each module calls only its own functions.

The cache of compiled code looks at the file of a function alone, so a function that calls another module's would be
served stale after that one changes.
"""
