"""Tools for developers and tests; the service itself never imports anything from here."""
