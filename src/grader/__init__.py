"""The judge: runs student code in a sandbox and reads every verdict from PostgreSQL."""
