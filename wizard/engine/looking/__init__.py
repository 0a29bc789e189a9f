"""What there is: read, compared, judged. Nothing in here writes."""
