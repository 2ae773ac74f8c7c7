#include "api/exposition.hpp"

#include "base/text.hpp"

namespace gantry::api {

void Exposition::family(std::string_view name, std::string_view type, std::string_view help) {
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Exposition::label(std::string_view name, std::string_view value, bool& first) {
  text_ += first ? '{' : ',';
  first = false;
  text_ += fmt::format("{}=\"", name);
  for (char c : text::one_line(value)) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void Exposition::begin_sample(std::string_view name, Labels labels, std::string_view bound) {
  text_ += name;
  bool first = true;
  for (const auto& [key, value] : labels) label(key, value, first);
  if (!bound.empty()) label("le", bound, first);
  if (!first) text_ += '}';
}

void Exposition::histogram(std::string_view name, Labels labels, const Histogram& histogram) {
  auto bucket = fmt::format("{}_bucket", name);
  for (std::size_t i = 0; i < Histogram::bounds.size(); ++i) {
    begin_sample(bucket, labels, fmt::format("{}", Histogram::bounds[i]));
    text_ += fmt::format(" {}\n", histogram.up_to(i));
  }
  begin_sample(bucket, labels, "+Inf");
  text_ += fmt::format(" {}\n", histogram.count());
  sample(fmt::format("{}_sum", name), labels, static_cast<double>(histogram.sum().count()) / 1e6);
  sample(fmt::format("{}_count", name), labels, histogram.count());
}

}  // namespace gantry::api
