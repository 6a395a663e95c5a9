"""How the regulation is kept: deadlines of all services, what a school says of itself and adopts."""
