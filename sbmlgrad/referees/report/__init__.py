"""What was found, as text, data, pictures and a page."""
