#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"

#include <fmt/format.h>

namespace gantry::cli {

std::string error_line(const Error& error, Format format) {
  if (format == Format::text) {
    return fmt::format("gantry: {}\n", text::one_line(error.sentence()));
  }
  json::Object object{{"code", error.code}, {"detail", error.message}};
  if (!error.remedy.empty()) object["remedy"] = error.remedy;
  return json::serialize(object) + "\n";
}

}  // namespace gantry::cli
