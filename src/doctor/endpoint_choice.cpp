#include "doctor/endpoint_choice.hpp"

#include "base/json.hpp"
#include "doctor/files.hpp"
#include "engine/docker_contexts.hpp"
#include "net/endpoint.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gantry::doctor {
namespace {

constexpr const char* usual_endpoint = "unix:///var/run/docker.sock";
constexpr const char* no_context = "default";

/// `currentContext` of config.json; empty: none.
std::string context_in_use(const Environment& environment) {
  if (!environment.docker_context.empty()) return environment.docker_context;
  auto text = file_text(environment.docker_folder / "config.json");
  auto value = text ? json::parse(*text, json::Keys::tolerant) : fail(Error{});
  if (!value) return {};
  json::Fields fields{*value, "", json::Keys::tolerant};
  return fields.text("currentContext").value_or("");
}

void choose_context(EndpointFacts& facts, const Environment& environment) {
  facts.source = fmt::format("context '{}'", facts.context);
  auto context = engine::read_own_context(environment.docker_folder, facts.context);
  if (!context) {
    facts.wrong = context.error();
    facts.wrong->remedy = "choose another one with 'docker context use default'";
    return;
  }
  facts.text = context->endpoint;
}

}  // namespace

EndpointFacts chosen_endpoint(const Question& question, const Environment& environment) {
  EndpointFacts facts;
  facts.contexts = engine::own_context_names(environment.docker_folder);
  facts.context = context_in_use(environment);
  if (facts.context == no_context) facts.context.clear();
  if (!question.endpoint.empty()) {
    facts.source = "--engine";
    facts.text = question.endpoint;
  } else if (!environment.docker_host.empty()) {
    facts.source = "DOCKER_HOST";
    facts.text = environment.docker_host;
  } else if (!facts.context.empty()) {
    choose_context(facts, environment);
  } else {
    facts.source = "the default";
    facts.text = usual_endpoint;
  }
  if (facts.wrong) return facts;
  if (auto parsed = net::Endpoint::parse(facts.text); !parsed) facts.wrong = parsed.error();
  return facts;
}

}  // namespace gantry::doctor
