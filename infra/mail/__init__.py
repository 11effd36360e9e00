"""Mails: templates, how a letter becomes one, and where it goes."""
