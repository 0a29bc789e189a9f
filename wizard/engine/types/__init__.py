"""The step about the application's types file."""
