"""Where catalogs come from: the Partner API, saved responses, and the emulator."""

DEFAULT_MAX_BYTES = 32 * 1024 * 1024
"""Default of ``MAX_BYTES``: 10,000 models of 2 KB take 20 MiB."""

MODELS_PATH = "/studio/models"
"""The path of the catalog, after the base URL."""
