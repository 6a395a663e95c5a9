"""What a class teacher prints and hands over."""
