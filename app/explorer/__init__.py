"""Pages for people: they use the public API and nothing else."""
