"""A response's bytes, checked against the documented envelope and cut into models; decodes no model."""
