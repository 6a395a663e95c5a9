"""How a message leaves the house: a file a channel, each with `send(message) -> attempt`; today by SMTP."""
