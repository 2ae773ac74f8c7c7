#include "api/console.hpp"

#include "api/api.hpp"
#include "base/text.hpp"

#include <algorithm>

#include <brotli/decode.h>
#include <fmt/format.h>

namespace gantry::api {
namespace {

/// No file of the console is larger; what we decode is our own, so this only catches bugs.
constexpr std::size_t decoded_max = 32U << 20U;

const Asset* find_asset(std::span<const Asset> assets, std::string_view path) {
  auto found = std::ranges::find(assets, path, &Asset::path);
  return found == assets.end() ? nullptr : &*found;
}

/// The file that a path stands for; nullptr when it is for nobody here.
const Asset* asset_for(std::span<const Asset> assets, const Target& target) {
  if (const auto* asset = find_asset(assets, target.path())) return asset;
  const auto& first = target.segments.front();
  const auto& last = target.segments.back();
  bool place = first != "api" && first != "assets" && last.find('.') == std::string::npos;
  return place ? find_asset(assets, "/index.html") : nullptr;
}

std::string decoded(std::string_view brotli) {
  std::string text;
  std::string piece(64U << 10U, '\0');
  auto* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  const auto* in = reinterpret_cast<const std::uint8_t*>(brotli.data());
  std::size_t in_left = brotli.size();
  auto result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && text.size() < decoded_max) {
    auto* out = reinterpret_cast<std::uint8_t*>(piece.data());
    std::size_t room = piece.size();
    result = BrotliDecoderDecompressStream(state, &in_left, &in, &room, &out, nullptr);
    text.append(piece.data(), piece.size() - room);
  }
  BrotliDecoderDestroyInstance(state);
  CHECK(result == BROTLI_DECODER_RESULT_SUCCESS);
  return text;
}

bool client_has(const net::http::RequestHead& request, std::string_view etag) {
  for (auto candidate : text::split(request.headers.get("If-None-Match"), ',')) {
    auto trimmed = text::trimmed(candidate);
    if (trimmed.starts_with("W/")) trimmed.remove_prefix(2);
    if (trimmed == etag || trimmed == "*") return true;
  }
  return false;
}

net::http::Headers headers_of(const Asset& asset) {
  // The build puts a hash of their content into the names of what lies in /assets.
  bool hashed = asset.path.starts_with("/assets/");
  return {{"Content-Type", std::string{asset.type}},
          {"Content-Security-Policy", std::string{page_policy}},
          {"Cache-Control", hashed ? "public, max-age=31536000, immutable" : "no-cache"},
          // Weak, since both encodings share it.
          {"ETag", fmt::format("W/{}", asset.etag)},
          {"Vary", "Accept-Encoding"}};
}

Reply not_found(const Target& target) {
  auto path = text::shortened(text::one_line(target.path()), 80);
  return error_reply({404,
                      {ErrorKind::not_found, "no_such_route", fmt::format("cannot find '{}'", path),
                       "/api/openapi.yaml lists what there is"},
                      {}},
                     Shape::problem);
}

}  // namespace

bool accepts_brotli(std::string_view accept_encoding) {
  for (auto item : text::split(accept_encoding, ',')) {
    auto semicolon = std::min(item.find(';'), item.size());
    if (!text::iequals(text::trimmed(item.substr(0, semicolon)), "br")) continue;
    auto weight = text::trimmed(item.substr(std::min(semicolon + 1, item.size())));
    return !weight.starts_with("q=0") || weight.find_first_of("123456789") != std::string::npos;
  }
  return false;
}

async::task<Reply> serve_console(Services& services, const net::http::RequestHead& request,
                                 const Target& target) {
  const auto* asset = asset_for(services.console, target);
  if (asset == nullptr) co_return not_found(target);
  if (request.method != "GET" && request.method != "HEAD") {
    auto refused =
        refuse(405, "method_not_allowed",
               fmt::format("cannot {} '{}': it can only be read", request.method, target.path()));
    refused.error().headers.set("Allow", "GET, HEAD");
    co_return error_reply(refused.error(), Shape::problem);
  }
  auto headers = headers_of(*asset);
  if (client_has(request, asset->etag)) {
    co_return Reply{.status = 304, .headers = std::move(headers), .body = {}};
  }
  if (accepts_brotli(request.headers.get("Accept-Encoding"))) {
    headers.set("Content-Encoding", "br");
    co_return Reply{200, std::move(headers), std::string{asset->brotli}};
  }
  auto body = co_await services.workers.run([asset] { return decoded(asset->brotli); });
  co_return Reply{200, std::move(headers), std::move(body)};
}

}  // namespace gantry::api
