#include "cli/docker_contexts.hpp"

#include "base/text.hpp"
#include "sandbox/tar.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace gantry::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t archive_max = 8U << 20U;
constexpr std::size_t host_name_max = 63;

/// Nothing for what is not there, or is over the bound.
std::optional<std::string> archive_text(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return std::nullopt;
  std::string text(archive_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  if (text.size() > archive_max) return std::nullopt;
  return text;
}

}  // namespace

json::Object host_body(const engine::DockerContext& context, const std::string& host_name) {
  json::Object body{{"name", host_name}, {"endpoint", context.endpoint}};
  json::Object tls;
  if (!context.authorities.empty()) tls["ca"] = context.authorities;
  if (!context.certificate.empty()) tls["certificate"] = context.certificate;
  if (!context.key.empty()) tls["key"] = context.key;
  if (!tls.empty()) body["tls"] = std::move(tls);
  return body;
}

Result<engine::DockerContext> read_exported_context(const fs::path& file) {
  auto archive = archive_text(file);
  if (!archive) {
    return fail(engine::bad_docker_context(file.string(), "it can not be read, or is over 8 MiB",
                                           "name a file that 'docker context export' wrote"));
  }
  auto entry = [&](std::string_view name) {
    return sandbox::tar::regular_file(*archive, name, engine::context_file_max);
  };
  return engine::read_docker_context(entry, file.string());
}

std::string host_name_of(std::string_view name) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
  std::string out;
  for (char c : text::lowered(name.substr(0, host_name_max))) {
    out += letters.find(c) == letters.npos ? '-' : c;
  }
  auto first = out.find_first_not_of("_.-");
  return first == out.npos ? "" : out.substr(first);
}

}  // namespace gantry::cli
