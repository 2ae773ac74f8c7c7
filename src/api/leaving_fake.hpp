#pragma once

#include "api/testing_fake.hpp"

namespace gantry::api {

/// Sends `request`, whose program the server's sandbox holds, and goes away without its answer
/// once the program has begun.
async::task<void> leaves_once_begun(TestServer& server, async::task<TestServer::Response> request);

}  // namespace gantry::api
