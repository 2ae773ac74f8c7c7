"""The one-way-per-need table of STYLE.md: what is refused, where, and what to write instead.

Every rule is data. `text` says what the pattern is matched against: the code with comments and
string contents blanked out, the string literals, or the raw line. `spared` lists the paths (globs)
where the refused thing is at home. Tests may do what only production code must leave alone when
`tests` is set.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True)
class Rule:
    name: str
    pattern: str
    instead: str
    spared: tuple = ()
    text: str = "code"  # code, strings or raw
    files: tuple = ("src/*.cpp", "src/*.hpp", "src/*.c", "src/*.h")
    tests: bool = False  # true: tests may use it

    def applies_to(self, path):
        if self.tests and is_test(path):
            return False
        return matches(path, self.files) and not matches(path, self.spared)


def matches(path, globs):
    return any(fnmatch(path, glob) for glob in globs)


def is_test(path):
    """Tests and what only tests link: fakes, harnesses, probes."""
    return path.startswith("tests/") or bool(re.search(r"_(test|fake|harness|probe)\.\w+$", path))


RULES = (
    Rule("spawn", r"\bco_spawn\b|\bdetached\b",
         "spawn through async::TaskScope, so that someone waits for it",
         spared=("src/async/*",)),
    Rule("thread", r"\bstd::(jthread|thread|(?:\w+_)?mutex|async|condition_variable\w*"
                   r"|(?:lock|scoped|unique|shared)_(?:guard|lock))\b",
         "block in async::Workers::run; state belongs to the event loop's one thread",
         spared=("src/async/*",), tests=True),
    Rule("clock", r"\b(?:system|steady|high_resolution)_clock::now\b|\bclock_gettime\s*\("
                  r"|\bgettimeofday\s*\(|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0)\s*\)",
         "take a Clock&, so that tests own time",
         spared=("src/base/clock*", "src/async/*", "src/init/*"), tests=True),
    Rule("environment", r"\b(?:secure_)?getenv\s*\(|\bint\s+argc\b"
                        r"|\bextern\s+char\s*\*\*\s*environ\b",
         "only main reads arguments and the environment; pass the value",
         spared=("src/main/*", "src/init/*", "src/holder/*", "src/ender/*"), tests=True),
    Rule("shell", r"(?:std::|(?<![\w.>:])(?:::)?)system\s*\(\s*(?:\"|[\w.]+(?:\.c_str\(\))?"
                  r"\s*\))|(?<![\w.>])popen\s*\(",
         "start programs by argument list with async's child processes; there is no shell here"),
    Rule("shell", r"\bsh -c\b",
         "start programs by argument list; there is no shell here", text="strings"),
    Rule("shared-from-this", r"\b(?:enable_)?shared_from_this\b",
         "let a TaskScope own the coroutine and pass the object by reference"),
    Rule("catch-all", r"\bcatch\s*\(\s*\.\.\.\s*\)",
         "only async::attempt and async::TaskScope catch everything; return a Result",
         spared=("src/async/*",)),
    Rule("print", r"\bstd::(?:cout|cerr|clog)\b|\bfmt::print\b|(?<![\w.>])f?puts\s*\("
                  r"|(?<![\w.>])(?:v|f|vf|s|sn|d)?printf\s*\(",
         "write to the log (base/log), or return text that cli prints; format with fmt::format",
         spared=("src/base/log*", "src/cli/*", "src/main/*", "src/init/*", "src/holder/*",
                 "src/ender/*"),
         tests=True),
    Rule("sleep", r"\bsleep_(?:for|until)\b|(?<![\w.>:])(?:u|nano)?sleep\s*\(",
         "retry with async::Backoff, wait with async::with_deadline",
         spared=("src/async/*",)),
    Rule("random", r"\brandom_device\b|\bmt19937\w*\b|(?<![\w.>])(?:s?rand|s?random)\s*\(",
         "take randomness, ids and tokens from base/random",
         spared=("src/base/random*",), tests=True),
    Rule("virtual", r"\bvirtual\b|\)\s*(?:const\s*)?(?:noexcept\s*)?=\s*0\s*;",
         "pass the thing itself; a fourth abstract class needs an ADR",
         spared=("src/net/stream.hpp", "src/storage/database.hpp", "src/sandbox/executor.hpp")),
    Rule("beast", r"#\s*include\s*<boost/beast",
         "keep Beast behind net::Stream, in src/net/*.cpp: it costs every includer 20 s",
         spared=("src/net/*.cpp", "src/third_party/*"), text="raw"),
    Rule("sql", r"\b(?:SELECT\s[^;]*\sFROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET"
                r"|DELETE\s+FROM|CREATE\s+(?:UNIQUE\s+)?(?:TABLE|INDEX)|ALTER\s+TABLE"
                r"|DROP\s+TABLE|PRAGMA)\b",
         "SQL lives in a *_store.cpp beside the concept that owns the table",
         spared=("src/*_store.cpp", "src/*_store_test.cpp", "src/storage/*"), text="strings"),
    Rule("json", r"\.at\s*\([^()]*\)\s*\.\s*(?:at|as_\w+|get_\w+)\s*\(",
         "read with base/json, whose readers return a Result",
         spared=("src/base/json*",), tests=True),
    Rule("new", r"(?<![\w.])new\s+(?:\([^)]*\)\s*)?[A-Za-z_:]"
                r"|(?<!=\s)(?<!=)\bdelete\b\s*(?:\[\s*\]\s*)?[A-Za-z_*(]",
         "own by value, or by unique_ptr for the three abstract types"),
    Rule("bool-parameter", r"[(,]\s*(?:const\s+)?bool\s+\w+\s*(?:[,)]|=)",
         "take an enum, so that the call can be read",
         files=("src/*.hpp",), spared=("src/init/*",), tests=True),
    Rule("todo", r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))",
         "name the issue: TODO(#12), or do it now", text="raw",
         files=("src/*", "web/src/*", "tests/*", "bench/*", "fuzz/*", "dev", "*.cmake",
                "CMakeLists.txt"),
         spared=("tests/dev/*",)),
)
