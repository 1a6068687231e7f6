"""TODO-DOC changes."""
