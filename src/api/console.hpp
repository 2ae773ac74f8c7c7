#pragma once

#include "api/reply.hpp"
#include "api/target.hpp"
#include "async/task.hpp"
#include "net/http.hpp"

#include <span>
#include <string_view>

namespace gantry::api {

/// A file of the console, as it was built into this program.
struct Asset {
  std::string_view path;    ///< `/index.html`, `/assets/index-3f9a.js`
  std::string_view type;    ///< Content-Type
  std::string_view etag;    ///< with its quotes
  std::string_view brotli;  ///< its content, compressed
};

/// The table that cmake/GantryConsole.cmake makes of web/dist; of one page that says so when the
/// console was not built.
std::span<const Asset> console_assets();
/// openapi.yaml.
std::string_view openapi_document();

/// Whether a client that sends this Accept-Encoding understands brotli.
bool accepts_brotli(std::string_view accept_encoding);

/// What the API speaks for; see api/api.hpp.
struct Services;

/// GET and HEAD of the console's files. A path that is no file and has no extension is one of
/// the console's own places and gets its page; the rest is a 404.
async::task<Reply> serve_console(Services& services, const net::http::RequestHead& request,
                                 const Target& target);

}  // namespace gantry::api
