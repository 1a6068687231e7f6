"""TODO-DOC verify."""
