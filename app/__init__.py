"""Accountability evidence: documented testimonies and incidents, queryable by period."""
