"""TODO-DOC model."""
