"""Imports over HTTP: a file is handed in piece by piece, checked, confirmed, and applied beside the service."""
