"""Other people's passkey servers under the same load, in turns with this one."""
