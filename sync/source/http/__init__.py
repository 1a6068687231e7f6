"""Catalogs fetched from the Partner API, with retries and deadlines; decodes no model and stores nothing."""
