"""The modes of the catalog, in the order in which they are fetched, locked and printed."""

MODES = ("image", "video")


def series_name(mode: str, model_id: str) -> str:
    """What a chart calls a model: the same id may be listed in both modes."""
    return f"{model_id} ({mode})"
