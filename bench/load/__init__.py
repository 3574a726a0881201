"""What an operation costs: CPU on the server, time for who waits, syncs and bytes on the disk."""
