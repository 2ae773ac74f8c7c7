#include "integration/warm_corpus.hpp"

namespace gantry::sandbox {
namespace {

WarmSample sample(std::string name, std::string source) {
  return {.name = std::move(name), .language = "python", .source = std::move(source)};
}

std::vector<WarmSample> surroundings() {
  return {
      {.name = "Arguments",
       .language = "python",
       .source = "import sys\n"
                 "print(__name__, __file__, sys.argv, sys.orig_argv)\n"
                 "print(sys.executable, sys._base_executable, sys.prefix, sys.path)\n",
       .args = {"a b", "", "--flag", "ü"}},
      sample("Flags",
             "import sys\n"
             "print(sys.flags, sys._xoptions, sys.warnoptions, sys.dont_write_bytecode)\n"
             "print(sys.getrecursionlimit(), sys.getfilesystemencoding(), sys.hash_info)\n"),
      sample("Modules",
             "import sys\n"
             "print(list(sys.modules))\n"
             "print(list(sys.path_importer_cache), len(sys.path_hooks), len(sys.meta_path))\n"),
      sample("Sitecustomize",
             "import sys\n"
             "try:\n"
             "  import sitecustomize\n"
             "  print(sitecustomize.__file__, sitecustomize.__spec__.origin)\n"
             "except ImportError as error:\n"
             "  print(repr(error))\n"
             "import site; print(site.ENABLE_USER_SITE, site.getsitepackages())\n"),
      sample("Globals",
             "print(list(globals()), __builtins__, __doc__, __spec__, __package__)\n"
             "print(type(__loader__), __loader__.path, __annotations__, dir())\n"),
      {.name = "Environment",
       .language = "python",
       .source = "import os, subprocess, sys\n"
                 "print(list(os.environ.items()), os.environb)\n"
                 "show = 'import os; print(list(os.environ.items()))'\n"
                 "subprocess.run([sys.executable, '-c', show])\n"
                 "subprocess.run([sys.executable, '-c', show], env={})\n",
       .env = {{"ZEBRA", "1"}, {"APPLE", "ä=b"}, {"EMPTY", ""}}},
      sample("Descriptors",
             "import os\n"
             "print(sorted(os.listdir('/dev/fd'), key=int))\n"
             "print(open('main.py').fileno(), os.pipe())\n"
             "print([os.get_inheritable(n) for n in range(3)], os.isatty(0))\n"),
      sample("Process",
             "import os, resource\n"
             "print(os.getpid() == os.getpgrp() == os.getsid(0), os.getppid(), os.getcwd())\n"
             "old = os.umask(0); print(oct(old), os.getuid() > 0, os.nice(0))\n"
             "for name in sorted(dir(resource)):\n"
             "  if name.startswith('RLIMIT_'):\n"
             "    print(name, resource.getrlimit(getattr(resource, name)))\n"
             "print(sorted(os.sched_getaffinity(0)), os.listdir('.'))\n"),
      sample("Signals",
             "import signal\n"
             "print([(s.name, str(signal.getsignal(s)).split(' at ')[0])\n"
             "       for s in sorted(signal.valid_signals()) if hasattr(s, 'name')])\n"
             "print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(0))\n"),
      sample("Streams",
             "import sys\n"
             "for s in (sys.stdin, sys.stdout, sys.stderr):\n"
             "  print(s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.isatty(),\n"
             "        getattr(s, 'write_through', None), type(s.buffer).__name__)\n"),
      sample("Locale",
             "import locale, time, sys\n"
             "print(locale.setlocale(locale.LC_ALL), locale.getpreferredencoding())\n"
             "print(time.tzname, time.timezone, sys.getdefaultencoding())\n"),
      sample("Threads",
             "import os, threading, sys, _thread\n"
             "print(threading.active_count(), threading.current_thread().name, _thread._count())\n"
             "print(threading.main_thread().native_id == os.getpid(), sys.getswitchinterval())\n"),
      sample(
          "Frames",
          "import sys, inspect\n"
          "print(sys._getframe().f_back, len(inspect.stack()), inspect.stack()[0].filename)\n"
          "print(sys.exc_info(), hasattr(sys, 'last_type'), sys.gettrace(), sys.getprofile())\n"),
  };
}

std::vector<WarmSample> ends() {
  return {
      sample("Empty", "import sys; sys.stderr.write('.')"),
      sample("SyntaxMistake", "print(1)\ndef f(:\n  pass\n"),
      sample("IndentationMistake", "if True:\nprint(1)\n"),
      sample("NotUtf8", "print('\xff')\n"),
      sample("EncodingCookie", "# -*- coding: latin-1 -*-\nprint(ascii('\xe9'))\n"),
      sample("UnhandledError", "def f(n):\n  return 1 / n\nprint('a')\nf(0)\n"),
      sample("ChainedErrors",
             "try:\n  {}['x']\nexcept KeyError as e:\n  raise ValueError('bad') from e\n"),
      sample("DeepRecursion", "def f(): f()\nf()\n"),
      sample("ErrorGroups", "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n"),
      sample("ExitCode", "import sys\nprint('x')\nsys.exit(3)\n"),
      sample("ExitWords", "import sys\nsys.exit('words')\n"),
      sample("ExitNone", "import sys\nprint(1)\nsys.exit(None)\n"),
      sample("ExitBeyondAByte", "print(1)\nraise SystemExit(256 + 7)\n"),
      sample("ExitAtOnce", "import os\nprint('x')\nos._exit(4)\n"),
      sample("Interrupted", "print(1)\nraise KeyboardInterrupt\n"),
      sample("Terminated", "import os, signal\nprint(1)\nos.kill(os.getpid(), signal.SIGTERM)\n"),
      sample("Crashed", "import ctypes\nprint(1)\nctypes.string_at(0)\n"),
      sample("Aborted", "import os\nprint(1)\nos.abort()\n"),
      sample("AlarmHandled",
             "import signal\nsignal.signal(signal.SIGALRM, lambda s, f: print('alarm', s))\n"
             "signal.setitimer(signal.ITIMER_REAL, 0.01)\nsignal.pause()\n"),
      sample("AtExit",
             "import atexit\natexit.register(print, 'second')\natexit.register(print, 'first')\n"
             "print('main')\n1/0\n"),
      sample("FinalizersAtTheEnd",
             "class A:\n  def __init__(s, n): s.n = n\n  def __del__(s): print('gone', s.n)\n"
             "a = A(1); b = A(2); c = [A(3)]; c.append(c)\n"),
      sample("FinalizersEverywhere",
             "import atexit, builtins, codecs, io, os, site, sys, weakref\n"
             "class A:\n  def __init__(s, n): s.n = n\n  def __del__(s): print('gone', s.n)\n"
             "class B: x = A('class')\n"
             "def f(): pass\n"
             "def g():\n  try: yield 1\n  finally: print('closed')\n"
             "a = A('global'); c = A('cycle'); c.me = c; f.x = A('function')\n"
             "for m in (builtins, codecs, io, os, site, sys): m.extra = A(m.__name__)\n"
             "h = g(); next(h)\n"
             "atexit.register(print, 'atexit'); weakref.finalize(a, print, 'finalize')\n"),
      sample("ThreadsThatOutliveMain",
             "import threading, time\n"
             "threading.Thread(target=lambda: (time.sleep(0.05), print('late'))).start()\n"
             "print('main ended')\n"),
      sample("ErrorInAThread",
             "import threading\nt = threading.Thread(target=lambda: 1/0, name='worker')\n"
             "t.start(); t.join(); print('on')\n"),
  };
}

std::vector<WarmSample> doings() {
  return {
      {.name = "Input",
       .language = "python",
       .source = "import sys\nprint(repr(input()))\nprint(sys.stdin.buffer.read())\n"
                 "try:\n  input()\nexcept EOFError as e: print(repr(e))\n",
       .input = "first\nsecond\n\xc3\xa4"},
      {.name = "OwnModules",
       .language = "python",
       .source = "import helper, package.inner\nprint(helper.__file__, package.inner.who)\n"
                 "import main\nprint(main.__name__)\nhelper.fail()\n",
       .files = {{"helper.py", "def fail():\n  raise RuntimeError('here')\n"},
                 {"package/__init__.py", ""},
                 {"package/inner.py", "who = __name__\n"}}},
      {.name = "ModulesNamedLikeOurs",
       .language = "python",
       .source = "import sitecustomize, usercustomize\nprint(usercustomize.x)\n"
                 "print(sitecustomize.__file__)\n",
       .files = {{"sitecustomize.py", "print('mine')"}, {"usercustomize.py", "x = 1"}}},
      sample("ForkedChildren",
             "import multiprocessing as m, os\n"
             "def f(): print('child', os.getppid() == parent)\n"
             "parent = os.getpid()\np = m.get_context('fork').Process(target=f)\n"
             "p.start(); p.join(); print(p.exitcode)\n"),
      sample("SpawnedChildren",
             "import multiprocessing as m, sys\n"
             "def f(): print('child', sys.argv, __name__)\n"
             "if __name__ == '__main__':\n"
             "  p = m.get_context('spawn').Process(target=f)\n"
             "  p.start(); p.join(); print(p.exitcode)\n"),
      sample("ForkByHand",
             "import os\npid = os.fork()\n"
             "if pid == 0:\n  print('child'); os._exit(5)\n"
             "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"),
      sample("ExecutesItself",
             "import os, sys\n"
             "if len(sys.argv) == 1: os.execv(sys.executable, sys.orig_argv + ['again'])\n"
             "print(sys.argv, sys.orig_argv)\n"),
      sample("Asynchronous",
             "import asyncio\nasync def f():\n  await asyncio.sleep(0.01)\n  print('slept')\n"
             "  raise RuntimeError('out')\nasyncio.run(f())\n"),
      sample("Warnings",
             "import warnings\nwarnings.warn('careful')\nprint(1 is 1, '\\d')\n"
             "warnings.warn('old', DeprecationWarning)\n"),
      sample("RunsAPath",
             "import runpy\nopen('other.py', 'w').write('print(__name__, __file__)')\n"
             "runpy.run_path('other.py')\nrunpy.run_path('other.py', run_name='__main__')\n"),
      sample("Evaluates",
             "exec(compile('import sys; print(__name__)', 'given', 'exec'))\n"
             "print(eval('__file__'))\nexec('1/0')\n"),
      sample("References",
             "import sys\n"
             "print(sys.getrefcount(sys.argv), type(sys.argv), type(sys.orig_argv))\n"),
  };
}

}  // namespace

std::vector<WarmSample> python_samples() {
  std::vector<WarmSample> all;
  for (auto& group : {surroundings(), ends(), doings()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace gantry::sandbox
