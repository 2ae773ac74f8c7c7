"""43: what an interpreter that waited for its program has: of its waiting, of the last program."""
import builtins
import os
import sys


def tell(name, found):
    print(f"{name}: {'OK' if found else 'no'}")


tell("variable of ours", any("GANTRY" in name or name == "PYTHONPATH" for name in os.environ))
tell("path of ours", any("gantry" in path for path in sys.path))
tell("module of ours", any("gantry" in str(getattr(module, "__file__", ""))
                           for module in sys.modules.values()))
tell("descriptor", any(int(name) > 2 and os.path.exists(f"/proc/self/fd/{name}")
                       for name in os.listdir("/proc/self/fd")))
tell("marker in the interpreter", hasattr(builtins, "abuse_marker"))
tell("marker in a file", any(os.path.exists(f"{place}/abuse.marker") for place in ("/box", "/tmp")))
builtins.abuse_marker = True
for place in ("/box", "/tmp"):
    with open(f"{place}/abuse.marker", "w", encoding="ascii") as marker:
        marker.write("was here")
