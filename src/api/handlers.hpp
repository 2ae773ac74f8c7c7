#pragma once

#include "api/call.hpp"
#include "api/reply.hpp"
#include "async/task.hpp"
#include "base/error.hpp"

namespace gantry::api {

/// Every handler of the route table; each stands in the file of its domain.
using Answer = async::task<Result<Reply>>;

// accounts.cpp
Answer get_setup(Call& call);
Answer create_owner(Call& call);
Answer create_session(Call& call);
Answer end_session(Call& call);
Answer get_me(Call& call);
Answer change_own_password(Call& call);

// oidc.cpp
Answer get_oidc(Call& call);
Answer start_oidc(Call& call);
Answer finish_oidc(Call& call);

// sessions.cpp
Answer list_own_sessions(Call& call);
Answer end_own_session(Call& call);
Answer list_user_sessions(Call& call);
Answer end_user_session(Call& call);

// totp.cpp
Answer begin_totp(Call& call);
Answer confirm_totp(Call& call);
Answer remove_own_totp(Call& call);
Answer remove_user_totp(Call& call);

// tokens.cpp
Answer list_tokens(Call& call);
Answer create_token(Call& call);
Answer revoke_token(Call& call);

// users.cpp
Answer list_users(Call& call);
Answer create_user(Call& call);
Answer change_user(Call& call);
Answer remove_user(Call& call);

// grants.cpp
Answer list_grants(Call& call);
Answer set_grants(Call& call);

// audit.cpp
Answer list_audit(Call& call);
Answer check_audit(Call& call);
Answer export_audit(Call& call);

// backups.cpp
Answer make_backup(Call& call);

// system.cpp
Answer get_system(Call& call);
Answer get_openapi(Call& call);

// pools.cpp
Answer list_pools(Call& call);

// executions.cpp
Answer list_executions(Call& call);
Answer create_execution(Call& call);
Answer create_batch(Call& call);
Answer get_execution(Call& call);
Answer cancel_execution(Call& call);

// artifacts.cpp
Answer list_artifacts(Call& call);
Answer get_artifact(Call& call);

// workspaces.cpp
Answer list_workspaces(Call& call);
Answer get_workspace(Call& call);
Answer remove_workspace(Call& call);

// execution_events.cpp
Answer get_execution_events(Call& call);

// execution_stream.cpp
Answer open_execution_stream(Call& call);

// container_create.cpp
Answer create_container(Call& call);

// container_inspect.cpp
Answer get_container(Call& call);
Answer get_container_processes(Call& call);
Answer get_container_changes(Call& call);

// container_actions.cpp
Answer start_container(Call& call);
Answer stop_container(Call& call);
Answer restart_container(Call& call);
Answer pause_container(Call& call);
Answer unpause_container(Call& call);
Answer kill_container(Call& call);
Answer rename_container(Call& call);
Answer update_container(Call& call);
Answer remove_container(Call& call);
Answer act_on_containers(Call& call);

// container_logs.cpp
Answer get_container_logs(Call& call);

// container_stats.cpp
Answer get_container_stats(Call& call);

// hosts.cpp
Answer list_hosts(Call& call);
Answer get_host(Call& call);
Answer create_host(Call& call);
Answer change_host(Call& call);
Answer remove_host(Call& call);
Answer test_host(Call& call);
Answer trust_host(Call& call);

// hosts_doctor.cpp
Answer get_host_doctor(Call& call);

// hosts_lists.cpp
Answer list_host_images(Call& call);
Answer list_host_volumes(Call& call);
Answer list_host_networks(Call& call);

// projects.cpp
Answer list_projects(Call& call);

// containers.cpp
Answer list_containers(Call& call);

// images.cpp
Answer list_images(Call& call);

// registries.cpp
Answer list_registries(Call& call);
Answer put_registry(Call& call);
Answer remove_registry(Call& call);

// host_images.cpp, host_pull.cpp
Answer get_host_image(Call& call);
Answer remove_host_image(Call& call);
Answer tag_host_image(Call& call);
Answer pull_host_image(Call& call);
Answer prune_host_images(Call& call);

// host_volumes.cpp
Answer get_host_volume(Call& call);
Answer create_host_volume(Call& call);
Answer remove_host_volume(Call& call);
Answer prune_host_volumes(Call& call);

// host_networks.cpp
Answer get_host_network(Call& call);
Answer create_host_network(Call& call);
Answer remove_host_network(Call& call);
Answer connect_host_network(Call& call);
Answer disconnect_host_network(Call& call);
Answer prune_host_networks(Call& call);

// disk.cpp
Answer get_disk_usage(Call& call);

// host_projects.cpp, host_project_logs.cpp
Answer get_project(Call& call);
Answer start_project(Call& call);
Answer stop_project(Call& call);
Answer restart_project(Call& call);
Answer get_project_logs(Call& call);

// exec.cpp
Answer exec_in_container(Call& call);

// terminals.cpp
Answer open_terminal(Call& call);
Answer list_terminals(Call& call);
Answer create_terminal_ticket(Call& call);
Answer end_terminal(Call& call);

// terminals_socket.cpp
Answer open_terminal_socket(Call& call);

// terminals_recordings.cpp
Answer list_recordings(Call& call);
Answer get_recording(Call& call);
Answer remove_recording(Call& call);

// events.cpp
Answer follow_host_events(Call& call);

// live.cpp
Answer open_live(Call& call);

// mcp.cpp
Answer serve_mcp(Call& call);

// compat_execute.cpp
Answer execute(Call& call);

// piston.cpp, piston_connect.cpp
Answer piston_execute(Call& call);
Answer piston_runtimes(Call& call);
Answer piston_packages(Call& call);
Answer piston_connect(Call& call);

// compat_metrics.cpp
Answer get_health(Call& call);
Answer get_metrics(Call& call);

}  // namespace gantry::api
