"""The todo chatbot's API: accounts, todos and an assistant, kept in PostgreSQL."""
