"""The command's process: its streams, signals, messages, masking of secrets and garbage collector; runs no job."""
