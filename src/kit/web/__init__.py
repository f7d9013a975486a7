"""What the kit shows in a browser, and the web server that shows it."""
