#pragma once

#include "base/histogram.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace gantry::api {

/// Writes the text format 0.0.4 of Prometheus
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
class Exposition {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// `type`: `counter`, `gauge`, `histogram`. The samples of a family follow it.
  void family(std::string_view name, std::string_view type, std::string_view help);
  /// Values of labels may be anybody's: they are escaped.
  template <class Number>
  void sample(std::string_view name, Labels labels, Number value) {
    begin_sample(name, labels);
    text_ += fmt::format(" {}\n", value);
  }
  template <class Number>
  void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    family(name, type, help);
    sample(name, {}, value);
  }
  /// The samples of one histogram.
  void histogram(std::string_view name, Labels labels, const Histogram& histogram);

  std::string text() { return std::move(text_); }

 private:
  void begin_sample(std::string_view name, Labels labels, std::string_view bound = {});
  void label(std::string_view name, std::string_view value, bool& first);

  std::string text_;
};

}  // namespace gantry::api
