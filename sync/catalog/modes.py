"""The modes of the catalog, in the order in which they are fetched, locked and printed."""

MODES = ("image", "video")
