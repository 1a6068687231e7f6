"""What a response changes: its models classified, compared and planned as a value; writes nothing."""
