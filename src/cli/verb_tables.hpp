#pragma once

#include "cli/remote.hpp"

#include <span>

/// The parts of `verbs()`, and the runners of those that are more than one request.
namespace gantry::cli {

std::span<const Verb> host_verbs();
std::span<const Verb> container_verbs();
std::span<const Verb> object_verbs();  ///< Images, volumes, networks, projects.
std::span<const Verb> access_verbs();
std::span<const Verb> context_verbs();

async::task<Result<int>> run_names(Context& context, RemoteCommand command);
async::task<Result<int>> run_host_test(Context& context, RemoteCommand command);
async::task<Result<int>> run_host_import(Context& context, RemoteCommand command);
async::task<Result<int>> run_ps(Context& context, RemoteCommand command);
async::task<Result<int>> run_container_action(Context& context, RemoteCommand command);
async::task<Result<int>> run_container_rename(Context& context, RemoteCommand command);
async::task<Result<int>> run_container_look(Context& context, RemoteCommand command);
async::task<Result<int>> run_logs(Context& context, RemoteCommand command);
async::task<Result<int>> run_stats(Context& context, RemoteCommand command);
async::task<Result<int>> run_export(Context& context, RemoteCommand command);
async::task<Result<int>> run_context(Context& context, RemoteCommand command);

}  // namespace gantry::cli
