"""What a million users and ten million audit rows do to the service."""
