"""Strict, bounded JSON, read into trees that are equal when two texts mean the same; knows nothing of models."""
