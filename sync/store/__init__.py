"""The store: versions of records, the service's books, and frames for scoring. SQLite by default, PostgreSQL by URL."""
