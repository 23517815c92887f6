"""Search: terms, one analyser for all of them; queries; scores. Pure: no database, no session."""
