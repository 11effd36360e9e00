"""A sample shop, run through the public HTTP API as any front end would."""
