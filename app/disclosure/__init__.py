"""Disclosure: what of a record each view may be shown; pure, values in and values out."""
