"""What monitoring systems get: metrics, the alert rules for them, and pings."""
