"""TODO-DOC process."""
