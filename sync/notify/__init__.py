"""What is sent to whom: what is new since the last delivery, as messages to the destinations of the notify file.

``destinations``, ``events``, ``filters``, ``messages``, ``fitting``, ``outbox`` and ``waits`` are pure functions.
``delivery`` starts ``sender`` as a process of its own, the only module that imports Apprise. ``notifier`` joins them
with the cursors of the database.
"""
