"""What operators look at and act through: pages made here, on the server, of read models and logs."""
