"""The queue of deliveries, the lists of people, and students' classes."""
