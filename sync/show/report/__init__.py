"""The report: one HTML file with everything in it. Values in, HTML out."""
