#pragma once

#include "api/call.hpp"
#include "executions/executions.hpp"

#include <optional>
#include <string_view>
#include <vector>

/// What requests ask to be run, read into orders.
namespace gantry::api {

/// A request, read: each of its programs, or what is wrong with it.
struct OrderRequest {
  std::vector<Result<executions::Submission>> programs;
  std::optional<executions::IdempotencyKey> key;
};

/// How many programs a batch may have.
inline constexpr std::size_t batch_max = 100;

/// Reads the body and the header `Idempotency-Key`. A single program that is wrong is a refusal;
/// one of a batch is told in its place.
async::task<Result<OrderRequest>> read_order(Call& call, executions::Order::Kind kind);

/// Places the order; sets the time of a 429.
async::task<Result<executions::Receipt>> place(Call& call, executions::Order order);

}  // namespace gantry::api
