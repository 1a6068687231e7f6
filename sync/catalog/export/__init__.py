"""Recorded history as lines of a file: what they hold, what a run left out changes, and the plans they give."""
