#include "integration/warm_corpus.hpp"

namespace gantry::sandbox {
namespace {

WarmSample sample(std::string name, std::string source) {
  return {.name = std::move(name), .language = "javascript", .source = std::move(source)};
}

std::vector<WarmSample> surroundings() {
  return {
      {.name = "Arguments",
       .language = "javascript",
       .source = "console.log(process.argv, process.execArgv, process.argv0, process.execPath);\n"
                 "console.log(__filename, __dirname, process.cwd());\n",
       .args = {"a b", "", "--flag", "ü"}},
      {.name = "Environment",
       .language = "javascript",
       .source = "console.log(process.env, Object.keys(process.env));\n"
                 "const show = 'console.log(JSON.stringify(process.env))';\n"
                 "const { execFileSync } = require('child_process');\n"
                 "console.log(execFileSync(process.execPath, ['-e', show]).toString());\n",
       .env = {{"ZEBRA", "1"}, {"APPLE", "ä=b"}, {"EMPTY", ""}}},
      sample("Process",
             "console.log(process.ppid, process.umask(), process.execArgv,\n"
             "  process._preload_modules, process.exitCode, process.debugPort,\n"
             "  process.config.variables.napi_build_version, process.eventNames());\n"
             "console.log(Object.getOwnPropertyNames(process).join());\n"),
      sample("Globals", "console.log(Object.getOwnPropertyNames(globalThis).join());\n"),
      sample("Modules",
             "const Module = require('module');\n"
             "console.log(Object.keys(require.cache), Object.keys(Module._pathCache),\n"
             "  Object.keys(Module._cache), Module.globalPaths, module.paths, module.children);\n"
             "console.log(require.main === module, module.id, module.parent, module.loaded,\n"
             "  process.mainModule === module, Object.keys(require.extensions));\n"),
      sample("Descriptors",
             "const fs = require('fs');\n"
             "console.log(fs.readdirSync('/dev/fd').map(Number).sort((a, b) => a - b).join());\n"
             "console.log(fs.openSync('main.js'), fs.openSync('main.js'));\n"),
      sample("Streams",
             "for (const s of [process.stdin, process.stdout, process.stderr])\n"
             "  console.log(s.constructor.name, s.fd, s.isTTY, s.writableHighWaterMark);\n"),
      sample("AsyncIds",
             "const h = require('async_hooks');\n"
             "console.log(h.executionAsyncId(), h.triggerAsyncId());\n"
             "setTimeout(() => console.log(h.executionAsyncId() > 1), 1);\n"),
      sample("Locale",
             "console.log(Intl.DateTimeFormat().resolvedOptions().timeZone,\n"
             "  new Date(0).toString(), (1234.5).toLocaleString());\n"),
      sample("Listeners",
             "for (const e of ['exit', 'SIGINT', 'SIGTERM', 'warning', 'uncaughtException'])\n"
             "  console.log(e, process.listenerCount(e));\n"),
      sample("System",
             "const os = require('os');\n"
             "console.log(os.tmpdir(), os.homedir(), os.hostname(), os.userInfo === undefined,\n"
             "  require('v8').getFlagsFromString, process.features, process.release.name);\n"),
  };
}

std::vector<WarmSample> ends() {
  return {
      sample("SyntaxMistake", "console.log(1);\nfunction f( {\n"),
      sample("UnhandledError", "console.log('a');\nfunction f() { throw new Error('x'); }\nf();\n"),
      sample("ThrownText", "console.error('e');\nthrow 'text';\n"),
      sample("ErrorWithACause", "throw new Error('outer', { cause: new TypeError('inner') });\n"),
      sample("UnhandledRejection",
             "Promise.reject(new Error('late'));\n"
             "setTimeout(() => console.log('never'), 1000);\n"),
      sample("RejectedWithNothing", "Promise.reject(undefined);\n"),
      sample("UncaughtHandled",
             "process.on('uncaughtException', (e, o) => console.log(e.message, o));\n"
             "setTimeout(() => console.log('on'), 5);\nthrow new Error('caught');\n"),
      sample("RejectionHandled",
             "process.on('unhandledRejection', (e) => console.log(e));\nPromise.reject(7);\n"),
      sample("DeepRecursion",
             "function f() { f(); }\ntry { f(); } catch (e) {\n"
             "  console.log(e.message); throw new Error('deep'); }\n"),
      sample("ExitCode", "console.log('x');\nprocess.exit(3);\n"),
      sample("ExitCodeLater", "process.exitCode = 9;\nsetTimeout(() => console.log('end'), 5);\n"),
      sample("ExitHandlers",
             "process.on('beforeExit', () => console.log('before'));\n"
             "process.on('exit', (code) => console.log('exit', code));\nconsole.log('main');\n"),
      sample("Terminated",
             "console.log(1);\nprocess.kill(process.pid, 'SIGTERM');\n"
             "setTimeout(() => {}, 1000);\n"),
      sample("SignalHandled",
             "process.on('SIGUSR2', (s) => { console.log(s); process.exit(0); });\n"
             "process.kill(process.pid, 'SIGUSR2');\nsetTimeout(() => {}, 1000);\n"),
      sample("Aborted", "console.log(1);\nprocess.abort();\n"),
      sample("WarningsOnce",
             "process.emitWarning('careful');\nnew Buffer(1);\nconsole.log('on');\n"),
      sample("AnErrorNobodyHears",
             "new (require('events'))().emit('error', new Error('unheard'));\n"),
  };
}

std::vector<WarmSample> doings() {
  return {
      {.name = "Input",
       .language = "javascript",
       .source = "let all = '';\nprocess.stdin.on('data', (d) => { all += d; });\n"
                 "process.stdin.on('end', () => console.log(JSON.stringify(all)));\n",
       .input = "first\nsecond\n\xc3\xa4"},
      {.name = "InputAtOnce",
       .language = "javascript",
       .source = "console.log(require('fs').readFileSync(0, 'utf8'));\n",
       .input = "all of it"},
      {.name = "OwnModules",
       .language = "javascript",
       .source = "const h = require('./helper');\nconsole.log(h.name, require('./data.json'));\n"
                 "console.log(module.children.length, Object.keys(require.cache));\nh.fail();\n",
       .files = {{"helper.js", "exports.name = __filename;\nexports.fail = () => { null.x; };\n"},
                 {"data.json", "{\"a\": [1, 2]}"}}},
      sample("AMissingModule", "require('not-there');\n"),
      sample("DynamicImport",
             "import('fs').then((m) => console.log(typeof m.default.readFileSync));\n"
             "import('./none.mjs').catch((e) => console.log(e.code));\n"),
      sample("Workers",
             "const { Worker, isMainThread, threadId } = require('worker_threads');\n"
             "if (isMainThread) new Worker(__filename, { argv: ['w'] }).on('exit',\n"
             "  (c) => console.log('ended', c));\n"
             "else console.log(threadId, process.argv, process.execArgv, process.env,\n"
             "  Object.keys(require.cache), require.main === module);\n"),
      sample("ForkedChildren",
             "const { fork } = require('child_process');\n"
             "if (process.argv[2] === 'child') { console.log(process.execArgv, process.argv);\n"
             "  process.send({ env: process.env }); process.disconnect(); }\n"
             "else fork(__filename, ['child']).on('message', (m) => console.log(m))\n"
             "  .on('exit', (c) => console.log('ended', c));\n"),
      sample("OrderOfTasks",
             "setTimeout(() => console.log('timeout'), 20);\n"
             "setImmediate(() => console.log('immediate'));\n"
             "process.nextTick(() => console.log('tick'));\n"
             "Promise.resolve().then(() => console.log('micro'));\nconsole.log('main');\n"),
      sample("TimersTakeTheirTime",
             "const begun = Date.now();\nsetTimeout(() => {\n"
             "  console.log(Date.now() - begun >= 99);\n}, 100);\n"),
      sample("Stacks", "console.log(new Error('x').stack);\nconsole.trace('here');\n"),
      sample("Evaluates",
             "console.log(eval('__filename'), new Function('return typeof require')());\n"
             "require('vm').runInThisContext('throw new Error(1)', 'given.js');\n"),
  };
}

}  // namespace

std::vector<WarmSample> node_samples() {
  std::vector<WarmSample> all;
  for (auto& group : {surroundings(), ends(), doings()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace gantry::sandbox
