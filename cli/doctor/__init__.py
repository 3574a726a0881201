"""`python -m cli doctor`: checks everything that the service needs, before the service needs it.

`configuration` and `files` check the settings, `database` and `redis` ask the servers, `runtime`
looks at Python and its packages. Each check is a function that takes the Installation and yields
findings; `command` lists and runs them.
"""
