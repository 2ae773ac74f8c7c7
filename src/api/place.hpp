#pragma once

#include "api/call.hpp"
#include "executions/executions.hpp"
#include "sandbox/program.hpp"

namespace gantry::api {

/// Places one program on the caller's account. When it is refused because too much waits, the
/// answer will say when to try again.
async::task<Result<executions::Record>> place(Call& call, sandbox::Submission submission,
                                              executions::Input input = executions::Input::given);

}  // namespace gantry::api
