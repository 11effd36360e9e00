"""GraphiQL, served from here: it works offline and under a policy that allows nothing from anywhere else."""
