"""Exchange: what others hand in as files, brought into the form of our records."""
