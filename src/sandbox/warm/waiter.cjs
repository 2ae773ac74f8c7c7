// Makes Node wait for its program at the last step of its start: NODE_OPTIONS names this file for
// `--require`, which Node runs just before the program's own file. Here it tells gantry-init that
// it is ready, and sleeps until the program has come. Then it takes over the program's arguments
// and environment, removes every trace of itself, and returns; from there on Node does what it does
// in a plain run. Programs for which that would not be the same are not run here
// (src/sandbox/warmth.cpp). The message: docs/protocols/init.md.
'use strict';

const fs = require('fs');

function readExactly(descriptor, size) {
  const bytes = Buffer.allocUnsafeSlow(size);
  let have = 0;
  while (have < size) {
    const count = fs.readSync(descriptor, bytes, have, size - have, null);
    if (count === 0) process.reallyExit(70);  // gantry-init has gone, and the container with it
    have += count;
  }
  return bytes;
}

// The program's argv and environment.
function waitForProgram(descriptor) {
  fs.writeSync(descriptor, 'w');
  const size = readExactly(descriptor, 4).readUInt32BE(0);
  const texts = readExactly(descriptor, size).toString().split('\0');
  fs.closeSync(descriptor);
  const first = 1 + Number(texts[0]);
  const argv = texts.slice(1, first);
  return [argv, texts.slice(first + 1, first + 1 + Number(texts[first]))];
}

function takeOver(argv, environment) {
  process.argv.push(...argv.slice(process.argv.length));
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const entry of environment) {
    const end = entry.indexOf('=');
    process.env[entry.slice(0, end)] = entry.slice(end + 1);
  }
}

function leaveNoTrace() {
  const Module = module.constructor;
  for (const file of [__filename, '/dev/null']) {
    delete Module._cache[file];
    for (const key of Object.keys(Module._pathCache)) {
      if (Module._pathCache[key] === file) delete Module._pathCache[key];
    }
  }
  if (Array.isArray(process._preload_modules)) process._preload_modules.length = 0;
}

// Node loads the loader of ECMAScript modules when the first module has ended: that shall not be
// this one, because its end is in the program's own time.
if (process.env.GANTRY_WAIT !== undefined) require('/dev/null');
leaveNoTrace();
// Worker threads run this file again; for them there is nothing to wait for.
const waitsOn = process.env.GANTRY_WAIT;
if (waitsOn !== undefined) takeOver(...waitForProgram(Number(waitsOn)));
