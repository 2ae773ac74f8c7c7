#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gantry::cli {

/// Where a command prints: standard output for what was asked for, standard error for the rest.
class Terminal {
 public:
  using Write = std::function<void(std::string_view)>;
  enum class Kind { file, screen };

  /// `errors` says whether standard error is a screen, where progress may be dim.
  Terminal(Write out, Write err, Kind errors)
      : out_{std::move(out)}, err_{std::move(err)}, errors_{errors} {}

  /// Bytes as they are.
  void out(std::string_view bytes) { out_(bytes); }
  void err(std::string_view bytes) { err_(bytes); }
  /// One line on standard error; control characters are shown, not obeyed.
  void say(std::string_view line);
  /// As `say`, for what is only of interest while it happens.
  void progress(std::string_view line);
  /// As `progress`, marked as ours, and only on a screen: it stands between a program's own lines.
  void aside(std::string_view line);

 private:
  Write out_;
  Write err_;
  Kind errors_;
};

/// Writes to a descriptor until all is written. Blocks. Throws Failure (`output_closed`) when
/// nobody reads any more, `output_failed` when it can not be written.
Terminal::Write writer_to(int descriptor);

}  // namespace gantry::cli
