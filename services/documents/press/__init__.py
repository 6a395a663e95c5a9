"""How papers are made and read: Typst, its presses and words in print, and how much of a file is read."""
