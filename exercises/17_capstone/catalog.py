"""Users and tracks: part 2. Your store may call functions that you write here."""
