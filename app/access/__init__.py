"""Access: who asks, and so which view answers."""
