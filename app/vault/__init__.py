"""The vault: append-only revisions of what was submitted, the only truth."""
