"""The database layer: tables, views, connections and migrations. It does not import ``sync``."""
