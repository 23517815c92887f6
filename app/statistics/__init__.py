"""Statistics: what is known, in numbers, each with what it leaves out."""
