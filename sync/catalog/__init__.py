"""Pure values: what a response says, what changed, and what a run writes. No I/O, no clock, no SQL."""
