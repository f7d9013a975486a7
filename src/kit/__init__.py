"""What people touch: the command line, the notebook extension and the progress record."""
