"""What people see: lines of text, tables, JSON and CSV. Values in, text out; reads no database and no clock."""
