"""Where catalogs come from: the Partner API, saved answers, and the emulator."""
