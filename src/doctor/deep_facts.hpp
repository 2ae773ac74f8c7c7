#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What is known only by reaching out or by running something: `--deep`.
namespace gantry::doctor {

/// A name that pulls need, as this machine's resolver answers.
struct NameFacts {
  std::string host;
  std::vector<std::string> addresses;
  std::optional<Error> error;
};

/// How a registry answered when it was asked from this machine.
struct RegistryFacts {
  enum class Role : std::uint8_t {
    usual,     ///< Docker Hub, where images without a registry's name come from.
    mirror,    ///< Asked before Docker Hub ("registry-mirrors").
    insecure,  ///< Also without TLS, or with a certificate nobody knows ("insecure-registries").
  };
  Role role = Role::usual;
  std::string address;  ///< `registry-1.docker.io`, `registry.lan:5000`
  unsigned status = 0;  ///< Of `GET /v2/`; 0: no answer.
  bool in_clear = false;
  bool unknown_certificate = false;  ///< Of an insecure one: it is there, and nobody vouches.
  std::optional<Error> error;
};

/// What a program saw that was run as strangers' programs are.
struct Canary {
  std::string image;                     ///< In which it ran.
  std::vector<std::string> held;         ///< What held it: `seccomp`, `the memory limit`.
  std::vector<std::string> open;         ///< What did not, with what was seen instead.
  std::vector<std::string> languages;    ///< Whose images are there.
  std::vector<std::string> image_names;  ///< Of those that are not: what `images make` is told.
};

struct DeepFacts {
  std::vector<NameFacts> names;
  std::vector<RegistryFacts> registries;
  std::optional<Result<Canary>> canary;  ///< Nothing: there was no engine to ask.
};

}  // namespace gantry::doctor
