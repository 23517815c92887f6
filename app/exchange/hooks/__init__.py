"""Webhooks: whoever keeps a copy is told that something changed, by ids alone, and never where it is not allowed."""
