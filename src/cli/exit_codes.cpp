#include "cli/exit_codes.hpp"

namespace gantry::cli {

int exit_code_of(const Error& refusal) {
  return refusal.code == "bad_usage" ? exit_usage : traits(refusal.kind).exit_code;
}

int exit_code_of_usage(const Error& refusal) {
  return refusal.kind == ErrorKind::invalid ? exit_usage : exit_code_of(refusal);
}

Error without_report(Error error) {
  constexpr int last_of_report = 2;
  if (exit_code_of(error) <= last_of_report) error.kind = ErrorKind::unavailable;
  return error;
}

}  // namespace gantry::cli
