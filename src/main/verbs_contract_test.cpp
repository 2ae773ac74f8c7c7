#include "api/console.hpp"
#include "base/text.hpp"
#include "cli/remote.hpp"

#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

// What the commands ask for is what the server has: paths, parameters and members of bodies.
namespace gantry::main {
namespace {

class VerbsContract : public testing::Test {
 protected:
  /// `/api/v1/hosts/{name}` and `/api/v1/hosts/{id}` are one.
  static std::string shape(std::string_view path) {
    std::string out;
    for (auto segment : text::split(path, '/')) {
      if (!out.empty() || path.front() != '/') out += '/';
      out += segment.starts_with('{') ? std::string{"{}"} : std::string{segment};
    }
    return out;
  }

  /// What a runner puts before its verb's own path.
  static std::string whole_path(const cli::Verb& verb) {
    std::string path{verb.path};
    if (path.starts_with("/api/")) return path;
    if (path == "images/pull") return "/api/v1/hosts/{host}/" + path;
    return fmt::format("/api/v1/hosts/{{host}}/{}/{{part}}{}",
                       verb.command == "images" ? "images" : "containers", path);
  }

  YAML::Node resolved(YAML::Node node) {
    if (!node["$ref"]) return node;
    YAML::Node at{contract_};
    for (auto segment : text::split(node["$ref"].as<std::string>().substr(2), '/')) {
      at.reset(at[std::string{segment}]);
    }
    return at;
  }

  YAML::Node operation(const cli::Verb& verb) {
    for (const auto& path : contract_["paths"]) {
      if (shape(path.first.as<std::string>()) != shape(whole_path(verb))) continue;
      for (const auto& parameter : path.second["parameters"]) shared_.push_back(parameter);
      return path.second[text::lowered(verb.method)];
    }
    return YAML::Node{};
  }

  std::set<std::string> query_of(const YAML::Node& operation) {
    std::set<std::string> names;
    auto add = [&](YAML::Node parameter) {
      auto whole = resolved(std::move(parameter));
      names.insert(whole["name"].as<std::string>());
    };
    for (const auto& parameter : operation["parameters"]) add(parameter);
    for (const auto& parameter : shared_) add(parameter);
    return names;
  }

  std::set<std::string> members_of(const YAML::Node& operation) {
    std::set<std::string> names;
    if (!operation["requestBody"]) return names;
    auto schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"]);
    for (const auto& member : schema["properties"]) names.insert(member.first.as<std::string>());
    return names;
  }

  YAML::Node contract_ = YAML::Load(std::string{api::openapi_document()});
  std::vector<YAML::Node> shared_;
};

TEST_F(VerbsContract, EveryVerbAsksForWhatThereIs) {
  for (const auto& verb : cli::verbs()) {
    if (verb.path.empty() && verb.command != "images" && verb.command != "containers") continue;
    auto name = fmt::format("{} {}", verb.command, verb.action);
    shared_.clear();
    auto asked = operation(verb);
    if (!asked || asked.IsNull()) {
      ADD_FAILURE() << name << ": " << verb.method << ' ' << whole_path(verb);
      continue;
    }
    auto query = query_of(asked);
    auto members = members_of(asked);
    for (const auto& parameter : verb.parameters) {
      std::string key{parameter.key.substr(0, parameter.key.find('.'))};
      if (parameter.to == cli::Parameter::To::query)
        EXPECT_TRUE(query.contains(key)) << name << ' ' << key;
      if (parameter.to == cli::Parameter::To::body)
        EXPECT_TRUE(members.contains(key)) << name << ' ' << key;
    }
  }
}

}  // namespace
}  // namespace gantry::main
