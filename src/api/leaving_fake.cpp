#include "api/leaving_fake.hpp"

#include "async/race.hpp"

#include <utility>

namespace gantry::api {
namespace {

async::task<void> finish(async::task<TestServer::Response> request) { co_await std::move(request); }

}  // namespace

async::task<void> leaves_once_begun(TestServer& server, async::task<TestServer::Response> request) {
  co_await async::race(finish(std::move(request)),
                       async::until([&server] { return !server.sandbox().seen.empty(); }));
}

}  // namespace gantry::api
