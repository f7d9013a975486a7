"""What it all comes to: part 4. Your store may call functions that you write here."""
