"""How users are asked for: registering, profiles, roles, passwords, sessions."""
