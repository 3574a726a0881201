"""A software passkey for developers and tests. The service never imports it; no image holds it."""
