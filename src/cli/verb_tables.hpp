#pragma once

#include "cli/remote.hpp"

#include <span>

/// The parts of `verbs()`, and the runners of those that are more than one request.
namespace gantry::cli {

/// Of `gantry hosts`.
std::span<const Verb> host_verbs();
/// Of `gantry ps`, `logs`, `stats`, `start` and the like.
std::span<const Verb> container_verbs();
/// Of images, volumes, networks and projects.
std::span<const Verb> object_verbs();
/// Of users, tokens, sessions and the audit log.
std::span<const Verb> access_verbs();
/// Of `gantry context`, which asks no server.
std::span<const Verb> context_verbs();

/// `gantry names hosts|containers`: one a line.
async::task<Result<int>> run_names(Context& context, RemoteCommand command);
/// Shows the steps, and what to do about the one that failed; then the exit code is not 0.
async::task<Result<int>> run_host_test(Context& context, RemoteCommand command);
/// Shows the report as 'gantry doctor' shows its own, and what has changed; the exit code is the
/// report's.
async::task<Result<int>> run_host_doctor(Context& context, RemoteCommand command);
/// Adds hosts as Docker's contexts describe them.
async::task<Result<int>> run_host_import(Context& context, RemoteCommand command);
/// Lists containers, and says of which hosts the view is stale.
async::task<Result<int>> run_ps(Context& context, RemoteCommand command);
/// The same for each container that is named; 1 when one of them failed.
async::task<Result<int>> run_container_action(Context& context, RemoteCommand command);
/// One request about one container.
async::task<Result<int>> run_container_look(Context& context, RemoteCommand command);
/// Copies a log; with `follow` until it ends or Ctrl-C.
async::task<Result<int>> run_logs(Context& context, RemoteCommand command);
/// One line for each reading.
async::task<Result<int>> run_stats(Context& context, RemoteCommand command);
/// Copies the logs of a whole project.
async::task<Result<int>> run_project_logs(Context& context, RemoteCommand command);
/// One line for each thing that happens; finds the server again when it has gone away.
async::task<Result<int>> run_events(Context& context, RemoteCommand command);
/// Pulls an image, however long that takes.
async::task<Result<int>> run_image_pull(Context& context, RemoteCommand command);
/// One request about one image, which is named.
async::task<Result<int>> run_image(Context& context, RemoteCommand command);
/// Shows what would go, asks, and removes it.
async::task<Result<int>> run_prune(Context& context, RemoteCommand command);
/// One line for each kind of thing that takes a host's disk.
async::task<Result<int>> run_disk(Context& context, RemoteCommand command);
/// Copies an answer as it comes.
async::task<Result<int>> run_export(Context& context, RemoteCommand command);
/// Whether the audit log is whole; else 1.
async::task<Result<int>> run_audit_check(Context& context, RemoteCommand command);
/// Reads or changes the file of contexts.
async::task<Result<int>> run_context(Context& context, RemoteCommand command);

}  // namespace gantry::cli
