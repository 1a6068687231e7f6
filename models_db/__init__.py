"""The schema: what is stored, how to reach it, and how to bring a database up to date."""
