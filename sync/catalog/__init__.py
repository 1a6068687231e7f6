"""Pure values: what an answer says, what changed, and what is to be written. No I/O, no clock, no SQL."""
