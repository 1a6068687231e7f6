"""TODO-DOC emulator."""
