"""TODO-DOC history."""
