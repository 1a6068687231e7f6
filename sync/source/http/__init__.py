"""Catalogs fetched from the Partner API, with retries and deadlines; decodes no model and stores nothing.

``fetch`` is the entry. It starts a ``worker`` thread for each mode, which makes ``attempts`` until one succeeds.
One attempt is a request (``session``) whose response is read (``headers``, ``body``) and checked
(``response_check``).
"""
