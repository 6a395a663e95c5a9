"""Applications, statements and declarations, as staff keeps them."""
