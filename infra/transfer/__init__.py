"""Moves whole logs: into a file and out of one, and from one database to another."""
