#pragma once

#include "base/error.hpp"
#include "executions/admission.hpp"
#include "sandbox/executor.hpp"

#include <optional>
#include <string>

namespace gantry::executions {

/// Whether somebody goes on typing while the program runs.
enum class Input { given, interactive };

/// One program with all that was asked about it.
struct Submission {
  sandbox::Program program;
  sandbox::Policy policy;
  sandbox::ExecutorChoice executor = sandbox::ExecutorChoice::automatic;
  Input input = Input::given;
  std::optional<sandbox::Terminal> terminal = {};
  std::string webhook = {};  ///< An address that `check_webhook` let pass; empty for none.
};

/// A submission as it waits on disk: JSON about it and about who asked for it, and the bytes of its
/// files and its input one after the other.
struct Packed {
  std::string about;
  std::string content;
};
Packed pack(const Submission& submission, const Caller& caller);

struct Unpacked {
  Submission submission;
  Caller caller;  ///< Without a name in what earlier versions wrote.
};
/// Refused: internal (`program_unreadable`) when it is not what `pack` writes.
Result<Unpacked> unpack(const Packed& packed);

}  // namespace gantry::executions
