"""What an API server and its execution service keep: each module has the SQL and the rows of one table or two."""
