"""Products and stock from files: each line becomes ordinary commands, with a key of its own and a result of its own."""
