#!/usr/bin/env bats
# Each rule of tools/tidy is shown to fire on a small bad tree, and to spare what it should.

load helpers

# refused RULE PATH CODE: one line of code in one file gives exactly this rule.
refused() {
  printf '%s\n' "$3" | put "$2"
  finds "$2:1: $1: "
}

spared() {
  printf '%s\n' "$2" | put "$1"
  accepts
}

@test "the real tree's ranks name every folder of src" {
  for folder in "$root"/src/*/; do
    grep -q "\"$(basename "$folder")\":" "$root/tools/layers.json"
  done
}

@test "an include may go down the ranks" {
  echo '#pragma once' | put src/base/error.hpp
  echo '#include "base/error.hpp"' | put src/engine/client.cpp
  accepts
}

@test "an include may not go up the ranks" {
  echo '#include "engine/client.hpp"' | put src/base/error.cpp
  echo '#include "base/error.hpp"' | put src/engine/client.cpp
  finds "'base' (rank 0) may not include 'engine' (rank 3)"
}

@test "folders of equal rank never meet" {
  echo '#include "storage/database.hpp"' | put src/net/stream.cpp
  echo '// here' | put src/storage/database.cpp
  finds "src/net/stream.cpp:1: layers:"
}

@test "a folder without a rank is refused" {
  echo 'int x;' | put src/misc/x.cpp
  finds "folder 'src/misc' has no rank"
}

@test "an include is absolute from src" {
  echo '#include "client.hpp"' | put src/engine/client.cpp
  finds 'write "engine/client.hpp"'
}

@test "coroutines are spawned by async only" {
  refused spawn src/fleet/link.cpp 'asio::co_spawn(executor, work(), asio::detached);'
}

@test "async may spawn" {
  spared src/async/task_scope.cpp 'asio::co_spawn(executor, work(), handler);'
}

@test "threads and locks are refused" {
  refused thread src/fleet/link.cpp 'std::mutex guard;'
  refused thread src/fleet/link.cpp 'std::jthread worker{run};'
}

@test "the time is read by base/clock only" {
  refused clock src/access/sessions.cpp 'auto now = std::chrono::system_clock::now();'
  rm "$tree/src/access/sessions.cpp"
  spared src/base/clock.cpp 'auto now = std::chrono::system_clock::now();'
}

@test "the environment is read by main only" {
  refused environment src/engine/client.cpp 'auto host = std::getenv("DOCKER_HOST");'
  rm "$tree/src/engine/client.cpp"
  spared src/main/serve.cpp 'auto host = std::getenv("DOCKER_HOST");'
}

@test "a test may read the environment" {
  spared src/engine/client_test.cpp 'auto engine = std::getenv("GANTRY_TEST_ENGINE");'
}

@test "there is no shell" {
  refused shell src/sandbox/images.cpp 'std::system("mmdebstrap");'
  refused shell src/sandbox/images.cpp 'auto pipe = popen(command, "r");'
  refused shell src/sandbox/images.cpp 'auto line = "/bin/sh -c " + command;'
}

@test "a method named system is not the shell" {
  spared src/engine/client.cpp 'auto info = co_await client.system();'
}

@test "shared_from_this is refused" {
  refused shared-from-this src/api/session.cpp 'auto self = shared_from_this();'
}

@test "only async catches everything" {
  refused catch-all src/api/session.cpp 'try { work(); } catch (...) { }'
}

@test "standard output belongs to cli, main and init" {
  refused print src/engine/client.cpp 'std::cerr << "failed";'
  refused print src/engine/client.cpp 'printf("%d", 1);'
  rm "$tree/src/engine/client.cpp"
  spared src/cli/print.cpp 'std::cout << "ok";'
}

@test "sleeping is refused" {
  refused sleep src/fleet/link.cpp 'std::this_thread::sleep_for(1s);'
}

@test "randomness comes from base/random" {
  refused random src/access/tokens.cpp 'std::random_device device;'
  refused random src/access/tokens.cpp 'int n = rand();'
}

@test "a fourth abstract class is refused" {
  refused virtual src/fleet/link.hpp '  virtual void run() = 0;'
}

@test "Beast stays in net's sources" {
  refused beast src/net/http.hpp '#include <boost/beast/http.hpp>'
}

@test "SQL lives in stores" {
  refused sql src/access/users.cpp 'db.run("SELECT id FROM users");'
  rm "$tree/src/access/users.cpp"
  spared src/access/users_store.cpp 'db.run("SELECT id FROM users");'
}

@test "chains of json at() are refused" {
  refused json src/engine/client.cpp 'auto id = value.at("Id").as_string();'
}

@test "new and delete are refused, deleted functions are not" {
  refused new src/fleet/link.cpp 'auto* link = new Link();'
  refused new src/fleet/link.cpp 'delete link;'
  spared src/fleet/link.cpp 'Link(const Link&) = delete;'
  spared src/fleet/link.cpp 'co_await store.delete_(id);'
}

@test "a bool parameter in a header is refused" {
  refused bool-parameter src/engine/client.hpp 'void remove(Id id, bool volumes);'
}

@test "an unfinished mark needs its issue" {
  refused todo src/fleet/link.cpp '// TODO: later'
  spared src/fleet/link.cpp '// TODO(#12): follow renames'
}

@test "words in comments and strings are not code" {
  spared src/fleet/link.cpp '// a detached co_spawn is refused, and so is "std::mutex"'
  spared src/fleet/link.cpp 'auto text = "std::mutex";'
}

@test "a digit separator opens no character" {
  printf '%s\n' "int a = 1'000;" 'std::mutex m;' "int b = 2'000;" | put src/fleet/link.cpp
  finds "src/fleet/link.cpp:2: thread:"
}

@test "a justified exception is accepted" {
  spared src/fleet/link.cpp 'std::mutex m;  // tidy: thread because spdlog calls us from its own'
}

@test "an exception without a reason is not accepted" {
  refused thread src/fleet/link.cpp 'std::mutex m;  // tidy: thread because'
}

@test "a public declaration needs its docstring" {
  printf '%s\n' '#pragma once' '' 'class Link {' '};' | put src/fleet/link.hpp
  echo '#include "fleet/link.hpp"' | put src/fleet/link.cpp
  finds "src/fleet/link.hpp:3: docstring:"
}

@test "Asio beyond awaitable.hpp says why" {
  refused asio src/fleet/link.cpp '#include <boost/asio/steady_timer.hpp>'
  spared src/fleet/link.cpp '#include <boost/asio/steady_timer.hpp>  // the pause between probes'
}

@test "a long file and a long line are refused" {
  yes 'int x;' | head -n 501 | put src/fleet/link.cpp
  finds "501 lines, the limit is 500"
  printf '// %0100d\n' 0 | put src/fleet/link.cpp
  finds "103 columns, the limit is 100"
}

@test "a document has one title" {
  printf '# One\n\n# Two\n' | put README.md
  finds "README.md:1: markdown-title: 2 '# ' titles"
}

@test "a comment in a code block is not a title" {
  printf '# One\n\n```\n# a comment\n```\n' | put README.md
  accepts
}

@test "a broken relative link is refused" {
  printf '# One\n\nSee [the tour](docs/tour.md).\n' | put README.md
  finds "README.md:3: markdown-link: 'docs/tour.md' does not exist"
}

@test "a document that nothing links to is dead" {
  printf '# One\n' | put docs/lost.md
  finds "docs/lost.md:1: dead-file:"
}

@test "a header that nothing includes is dead" {
  echo '#pragma once' | put src/fleet/link.hpp
  finds "src/fleet/link.hpp:1: dead-file:"
}

# pair: an English page and its Chinese twin that say the same.
pair() {
  printf '# Title\n\n[中文](docs/zh-CN/run.md) [zh](README.zh-CN.md)\n' | put README.md
  printf '# 标题\n\n[English](README.md) [en](docs/run.md)\n' | put README.zh-CN.md
  printf '# Run\n\n[中文](zh-CN/run.md)\n\n```\nls   # look\n```\n\n## `ls`\n' | put docs/run.md
  printf '# 运行\n\n[English](../run.md)\n\n```\nls   # 看\n```\n\n## `ls`\n' | put docs/zh-CN/run.md
}

@test "a Chinese page may translate prose and comments" {
  pair
  accepts
}

@test "a page without its Chinese twin is refused" {
  pair
  rm "$tree/docs/zh-CN/run.md"
  finds "docs/run.md:1: twin: 'docs/zh-CN/run.md' does not exist"
}

@test "a Chinese page of nothing is refused" {
  pair
  mv "$tree/docs/run.md" "$tree/docs/go.md"
  finds "docs/zh-CN/run.md:1: twin: there is no English page of it"
}

@test "twins link to each other at the top" {
  pair
  printf '# Run\n\n```\nls\n```\n\n## `ls`\n' | put docs/run.md
  finds "docs/run.md:1: twin: no link to 'docs/zh-CN/run.md' at the top"
}

@test "a command that only one twin has is refused" {
  pair
  sed -i 's/^ls /ls -l/' "$tree/docs/zh-CN/run.md"
  finds "docs/zh-CN/run.md:1: twin: code block 1 differs"
}

@test "a heading that only one twin has is refused" {
  pair
  printf '\n### More\n' >>"$tree/docs/run.md"
  finds "docs/zh-CN/run.md:1: twin: 2 headings, 3 in English"
}

@test "a row or a word that only one twin has is refused" {
  pair
  printf '\n| `a` |\n' >>"$tree/docs/run.md"
  finds "docs/zh-CN/run.md:1: twin: 0 rows in tables, 1 in English"
  finds "docs/zh-CN/run.md:1: twin: 'a' is missing"
}
