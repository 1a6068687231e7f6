"""A response's bytes, checked against the documented envelope and cut into models; decodes at most a model's mode."""
