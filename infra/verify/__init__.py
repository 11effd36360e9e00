"""Compares what must be the same: a log with itself, with the read models, with its topic. Names what differs."""
