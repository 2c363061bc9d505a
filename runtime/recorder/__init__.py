"""Keep the arguments of real calls: what runs inside the user's own program while it is recorded.

`startup/sitecustomize.py` is found by every interpreter that the command starts, `hook`
has the chosen functions report their calls, `values` makes plain data of the arguments,
and `calls` writes a few of them, distinct and small. The standard library is enough to
start; numpy is imported with the first call, when the program has imported it long ago.
"""
