"""How a letter leaves the house: by SMTP."""
