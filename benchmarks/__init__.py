"""Measures the service beside its peers and the limit of the machine, on invented records."""
