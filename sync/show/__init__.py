"""What people see: tables, JSON and CSV. Values in, text out; nothing is asked or stored here."""
