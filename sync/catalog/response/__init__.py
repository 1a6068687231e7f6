"""TODO-DOC response."""
