"""Stored rows read as they are, for the checks in sync.catalog.verify; writes nothing."""
