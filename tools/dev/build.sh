# shellcheck shell=bash
# The console first (it is embedded), then everything else with CMake.

# build PRESET [TARGET…]
build() {
  local preset=$1
  shift
  grep -q "\"name\": \"$preset\"" CMakePresets.json ||
    fail "cannot build preset '$preset': CMakePresets.json does not have it" "run './dev --help'"
  build_web
  cmake --preset "$preset" --log-level=WARNING >&2
  cmake --build "build/$preset" --parallel "$(parallel_jobs)" ${1:+--target "$@"} >&2
}

# Builds web/dist when its sources changed since the last time, and installs npm's packages when
# the lock did. The hashes of what was built are kept in build/.
build_web() {
  local lock sources
  mkdir -p build
  lock=$(hash_of web/package.json web/package-lock.json)
  if [[ ! -d web/node_modules || $lock != "$(stamp web-packages)" ]]; then
    say "installing the console's npm packages"
    npm_web ci --ignore-scripts --no-audit --no-fund ||
      fail "cannot install the console's npm packages: npm ci failed" \
        "check that the npm registry can be reached ('npm config get registry')"
    echo "$lock" >build/web-packages.stamp
  fi
  sources=$(hash_of_web_sources)
  if [[ ! -d web/dist || $sources != "$(stamp web)" ]]; then
    say "building the console"
    npm_web run build
    echo "$sources" >build/web.stamp
  fi
}

npm_web() {
  npm --prefix web --loglevel=error "$@" >&2
}

stamp() {
  cat "build/$1.stamp" 2>/dev/null || true
}

hash_of() {
  cat "$@" | sha256sum | cut -d' ' -f1
}

# Names and contents of everything the console is made of, the API's contract included, from which
# its types are generated.
hash_of_web_sources() {
  {
    find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' -print0
    printf '%s\0' src/api/openapi.yaml
  } | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

package() {
  (cd build/release && cpack -G DEB >&2)
  find build/release -maxdepth 1 -name '*.deb'
}
