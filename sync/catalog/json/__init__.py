"""TODO-DOC json."""
