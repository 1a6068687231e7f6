"""TODO-DOC http."""
