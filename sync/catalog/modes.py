"""The modes of the catalog, in the order in which everything goes through them."""

MODES = ("image", "video")
