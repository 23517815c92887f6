"""Intake: the one way in."""
