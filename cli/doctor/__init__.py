"""Looks at everything the service will need, before it needs it: `python -m cli.doctor`.

`configuration` and `files` judge what is set, `database` and `redis` ask the servers, `runtime`
looks at Python and its packages. Each check is a function of the patient that yields findings.
"""
