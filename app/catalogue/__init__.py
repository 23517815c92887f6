"""The catalogue: what each view may see, ready to be read; it cannot write to the vault."""
