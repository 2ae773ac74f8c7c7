#include "engine/docker_contexts.hpp"

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include <fmt/format.h>

namespace gantry::engine {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t contexts_max = 500;

/// Nothing for what is not there, or is over the bound.
std::optional<std::string> file_text(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return std::nullopt;
  std::string text(context_file_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  if (text.size() > context_file_max) return std::nullopt;
  return text;
}

fs::path meta_folder(const fs::path& docker_folder) { return docker_folder / "contexts/meta"; }

/// The files of one of this user's contexts.
ContextFile own_files(const fs::path& docker_folder, const std::string& name) {
  return [docker_folder, id = encoding::sha256_hex(name)](std::string_view file) {
    bool tls = file.starts_with("tls/");
    auto path = tls ? docker_folder / "contexts/tls" / id / file.substr(4)
                    : meta_folder(docker_folder) / id / file;
    return file_text(path);
  };
}

/// Nobody is to take somebody else for the engine.
Result<DockerContext> if_verified(Result<DockerContext> context, const std::string& place) {
  if (!context || context->verified) return context;
  return fail(bad_docker_context(place, "it does not check the engine's certificate",
                                 "add the host by hand with its --ca"));
}

}  // namespace

Error bad_docker_context(const std::string& place, std::string_view cause, std::string remedy) {
  return {ErrorKind::invalid, "bad_docker_context",
          fmt::format("cannot use Docker context '{}': {}", text::one_line(place), cause),
          std::move(remedy)};
}

Result<DockerContext> read_any_docker_context(const ContextFile& file, const std::string& place) {
  auto meta = file("meta.json");
  if (!meta) {
    return fail(bad_docker_context(
        place, "there is no such context, and no such file with a meta.json in it",
        "name a context of 'docker context ls', or a file that 'docker context "
        "export' wrote"));
  }
  auto value = json::parse(*meta, json::Keys::tolerant);
  if (!value) return fail(bad_docker_context(place, value.error().message, "export it anew"));
  json::Fields fields{*value, "", json::Keys::tolerant};
  DockerContext context;
  context.name = fields.text("Name").value_or("");
  const auto* endpoints = fields.member("Endpoints");
  const auto* docker = endpoints != nullptr && endpoints->is_object()
                           ? endpoints->as_object().if_contains("docker")
                           : nullptr;
  if (docker == nullptr) {
    return fail(bad_docker_context(place, "it has no Docker endpoint", "add the host by hand"));
  }
  json::Fields endpoint{*docker, "Endpoints.docker", json::Keys::tolerant};
  context.endpoint = endpoint.text("Host").value_or("");
  context.verified = !endpoint.boolean("SkipTLSVerify").value_or(false);
  context.authorities = file("tls/docker/ca.pem").value_or("");
  context.certificate = file("tls/docker/cert.pem").value_or("");
  context.key = file("tls/docker/key.pem").value_or("");
  bool tls = !context.authorities.empty() || !context.certificate.empty() || !context.verified;
  constexpr std::string_view tcp = "tcp://";
  if (tls && context.endpoint.starts_with(tcp)) {
    context.endpoint = fmt::format("tls://{}", context.endpoint.substr(tcp.size()));
  }
  return context;
}

Result<DockerContext> read_docker_context(const ContextFile& file, const std::string& place) {
  return if_verified(read_any_docker_context(file, place), place);
}

Result<DockerContext> read_any_own_context(const fs::path& docker_folder, const std::string& name) {
  return read_any_docker_context(own_files(docker_folder, name), name);
}

Result<DockerContext> read_own_context(const fs::path& docker_folder, const std::string& name) {
  return if_verified(read_any_own_context(docker_folder, name), name);
}

std::vector<std::string> own_context_names(const fs::path& docker_folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& folder : fs::directory_iterator{meta_folder(docker_folder), failed}) {
    if (names.size() == contexts_max) break;
    auto meta = file_text(folder.path() / "meta.json");
    auto value = meta ? json::parse(*meta, json::Keys::tolerant) : fail(Error{});
    if (!value) continue;
    json::Fields fields{*value, "", json::Keys::tolerant};
    if (auto name = fields.text("Name")) names.push_back(*name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace gantry::engine
