"""Where catalogs come from: the Partner API, saved responses, and the emulator."""
