"""A demonstration of the job: it syncs a made-up week of a catalog from an emulator, in a few seconds."""

from sync.demo.runner import run_demo as run_demo
