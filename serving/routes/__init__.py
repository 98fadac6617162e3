"""The HTTP routes, one file a resource: check, hand on, answer."""
