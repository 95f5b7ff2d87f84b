"""What runs and the inbox measure, and where it is sent."""
