"""Custody: proof that nothing was altered."""
