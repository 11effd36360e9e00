"""The parts of a process, each put together in a module of its own; `infra/bootstrap.py` chooses among them."""
