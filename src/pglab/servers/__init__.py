"""PostgreSQL servers: embedded, in a container, or given by URL."""
