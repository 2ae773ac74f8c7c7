#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "doctor/checks.hpp"
#include "doctor/far.hpp"
#include "net/endpoint.hpp"

#include <functional>

/// The doctor's words where trouble appears: in the errors of whoever dials an engine.
namespace gantry::doctor {

/// Makes the errors of a dialler tell what the doctor finds about its way. What has been found out
/// for one dialler counts for all others that went through the same Explaining.
using Explaining = std::function<net::Connect(net::Connect)>;

/// For diallers of a Unix socket (net::dialer of `endpoint`): for the codes `socket_permission`,
/// `socket_missing`, `not_a_socket` and `not_listening` the cause and the remedy are those of the
/// table's first row that fails for this process. Code and kind stay, other errors pass as they
/// are, and where the doctor finds nothing the error does. Who dials again at once hears the same
/// without another look; after a look that did not come back, all hear the dialler's own words for
/// a while. `who`: this process, in the words of remedies.
Explaining explaining(async::Executor executor, net::Endpoint endpoint, Clock clock = {},
                      Subject::Kind who = Subject::Kind::self);
/// The same of one dialler.
net::Connect explained(async::Executor executor, net::Connect connect, net::Endpoint endpoint,
                       Clock clock = {}, Subject::Kind who = Subject::Kind::self);

/// The same for diallers of an ssh endpoint (net::SshTunnel): the codes
/// `ssh_remote_socket_permission`, `ssh_remote_socket_missing` and `ssh_remote_engine_down` get
/// what the doctor finds there, as the user who logs in. `run` must outlive the result.
Explaining explaining_far(async::Executor executor, net::Endpoint endpoint, Runner run,
                          Clock clock = {});

/// `error` of a dialler with the cause and the remedy that follow from the facts.
Error diagnosed(Error error, const Facts& facts);

}  // namespace gantry::doctor
