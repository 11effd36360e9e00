"""The adapters of the sagas' port: to this process's write loops, and by HTTP to the process that serves commands."""
