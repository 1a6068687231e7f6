"""TODO-DOC files."""
