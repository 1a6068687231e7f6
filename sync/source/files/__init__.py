"""Saved responses read from files with the time of each; reads only, and uses no network."""
