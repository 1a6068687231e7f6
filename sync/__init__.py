"""catalog-sync: keeps a model catalog and its true price history in a SQL database."""

__version__ = "0.2.0"
