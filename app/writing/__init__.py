"""Writing over HTTP: what an organisation submits, revises and takes back of its own."""
