"""Makes a Python interpreter wait for its program at the last step of its start.

The interpreter is started as for any program, `python3 -u main.py`, only that PYTHONPATH names this
file's folder: `site` imports it as `sitecustomize`, just before the interpreter opens main.py. Here
it tells gantry-init that it is ready, and sleeps until the program has come. Then it takes over the
program's arguments and environment, removes every trace of itself, and returns; what the
interpreter does from there on is what it does in a plain run, by its own code.

What the interpreter has read before this point can not be changed any more: programs that would
change it (PYTHONHASHSEED, LC_ALL, interpreter flags) are not run here (src/sandbox/warmth.cpp).
The message: docs/protocols/init.md.
"""

import os
import sys


def read_exactly(descriptor, size):
    pieces = []
    while size > 0:
        piece = os.read(descriptor, min(size, 1 << 16))
        if not piece:
            os._exit(70)  # gantry-init has gone, and the container goes with it
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def settle():
    """Spares the interpreter's end the search for cycles in what its start has made.

    What the program will put into `__main__` must not be spared: objects there that have a
    `__del__` are told of the end. So that dictionary is empty, and known to have no cycles, while
    everything else is frozen; filled again, in its order, it is the collector's as before.
    """
    known = "gc" in sys.modules
    import gc

    main = sys.modules["__main__"].__dict__
    names = dict(main)
    main.clear()
    gc.collect()
    gc.freeze()
    main.update(names)
    if not known:
        del sys.modules["gc"]


def wait_for_program(descriptor):
    """The program's argv and environment, each a list of bytes."""
    settle()
    os.write(descriptor, b"w")
    size = int.from_bytes(read_exactly(descriptor, 4), "big")
    texts = read_exactly(descriptor, size).split(b"\0")
    os.close(descriptor)
    first = 1 + int(texts[0])
    return texts[1:first], texts[first + 1 : first + 1 + int(texts[first])]


def take_over(argv, environment):
    argv = [os.fsdecode(word) for word in argv]
    # A single file's interpreter options stand before its name in both.
    sys.argv[1:] = argv[len(sys.orig_argv) :]
    sys.orig_argv[:] = argv
    # The interpreter itself adds LC_CTYPE where the locale is "C" (PEP 538).
    coerced = os.environ.get("LC_CTYPE")
    os.environ.clear()
    for entry in environment:
        name, _, value = entry.partition(b"=")
        os.environ[os.fsdecode(name)] = os.fsdecode(value)
    if coerced is not None and "LC_CTYPE" not in os.environ:
        os.environ["LC_CTYPE"] = coerced


def leave_no_trace():
    folder = os.path.dirname(__file__)
    sys.path.remove(folder)
    sys.path_importer_cache.pop(folder, None)
    del sys.modules[__name__]


waits_on = os.environ.get("GANTRY_WAIT")
if waits_on is not None:
    take_over(*wait_for_program(int(waits_on)))
leave_no_trace()
# The image may have one of its own. Where it has none, this raises what `site` expects then.
import sitecustomize  # noqa: E402, F401
