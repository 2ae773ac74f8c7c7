#include "api/place.hpp"

namespace gantry::api {

async::task<Result<executions::Record>> place(Call& call, sandbox::Submission submission,
                                              executions::Input input) {
  auto& executions = call.services.executions;
  executions::Order order{.caller = call.caller(), .told = executions::Order::Told::verdict};
  order.submissions.push_back({.program = std::move(submission.program),
                               .policy = std::move(submission.policy),
                               .input = input});
  auto receipt = co_await executions.place(std::move(order));
  if (receipt) co_return std::move(receipt->records.front());
  call.retry_after = executions.retry_after();
  co_return fail(std::move(receipt.error()));
}

}  // namespace gantry::api
