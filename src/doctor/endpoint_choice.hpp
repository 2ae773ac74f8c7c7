#pragma once

#include "doctor/facts.hpp"
#include "doctor/gather.hpp"
#include "net/tls.hpp"

#include <optional>

namespace gantry::doctor {

/// An endpoint, and whom its TLS trusts.
struct Choice {
  EndpointFacts facts;
  std::optional<net::TlsClient> tls;
};

/// Which endpoint is in force, by what, and what else could have been chosen. As `docker` does:
/// DOCKER_HOST (with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH), DOCKER_CONTEXT, the context in use by
/// config.json, the default socket. Reads files.
Choice choose_endpoint(const Question& question, const Environment& environment);
/// The same without a look at any file: what is left where they do not answer.
Choice choose_without_files(const Question& question, const Environment& environment);

}  // namespace gantry::doctor
