"""What must happen next: processes as steps and reactions, and the orchestrator that drives them."""
