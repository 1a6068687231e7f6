"""The whole job in a few seconds: a made-up week of a catalog, synced from an API on loopback."""

from sync.demo.week import run_demo as run_demo
