"""Reports written from the results of a grading."""
