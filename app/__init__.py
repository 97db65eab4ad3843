"""Shared types, settings and the application: the two doors."""
