"""Telling somebody something: from the request in the log to the channel that takes it, and what came of it."""
