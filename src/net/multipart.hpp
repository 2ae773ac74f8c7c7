#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Forms with files, as browsers and curl send them (RFC 7578 over RFC 2046).
namespace gantry::net::http {

/// One field of a form.
struct FormPart {
  std::string name;
  std::optional<std::string> file_name;  ///< As sent; only parts that are files have one.
  std::string_view content;              ///< Points into the body.
};

struct FormLimits {
  std::size_t parts_max = 1'024;
  std::size_t part_head_max = 8U << 10U;  ///< Bytes of one part's own header fields.
};

/// The `boundary` parameter of a `multipart/form-data` Content-Type; nothing when there is none or
/// it is not 1 to 70 bytes of visible characters.
std::optional<std::string> form_boundary(std::string_view content_type);

/// Takes a body apart. Refuses (invalid: `invalid_form`) a body without an end, a part without a
/// name, and what is over the limits. The parts borrow `body`.
Result<std::vector<FormPart>> parse_form(std::string_view body, std::string_view boundary,
                                         const FormLimits& limits = {});

}  // namespace gantry::net::http
