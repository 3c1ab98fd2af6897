"""Cheap stand-ins for the target."""
