"""What fuzz, soak, enumeration, bench and tests share: forms, folders, and server processes."""
