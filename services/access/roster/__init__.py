"""The lists of a school: taken in, shown, told to the other services, and the acts that change them."""
