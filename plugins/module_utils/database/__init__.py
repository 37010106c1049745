"""PostgreSQL: roles and databases, sessions by URL, backups, and which code fits which schema."""
