"""A demonstration of the job: it syncs three made-up months of a catalog from an emulator, in seconds."""

from sync.demo.runner import run_demo as run_demo
