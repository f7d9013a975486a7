"""A PostgreSQL laboratory: servers, scratch databases and a witness of what was really sent."""
