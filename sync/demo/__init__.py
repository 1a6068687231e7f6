"""The whole job in a few seconds: a made-up week of a catalog, synced from an API on loopback."""

from sync.demo.runner import run_demo as run_demo
