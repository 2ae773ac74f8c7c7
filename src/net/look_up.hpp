#pragma once

// Addresses are Asio's business: included by the .cpp files of this folder only.
#include "async/task.hpp"

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace gantry::net {

/// The addresses of a host, at most 16: its own where it is an address, else what the program
/// `resolver` says, which is called with the name and prints lines as `getent ahosts` does.
///
/// A child process, because the system's own function can not be interrupted and waits as long as
/// somebody else's name server likes: cancelled, it is killed. What a hostile name server answers
/// is read by the child, too. Throws Failure, unavailable: `name_unknown`, `resolver_missing`.
async::task<std::vector<boost::asio::ip::address>> look_up(std::string host,
                                                           std::vector<std::string> resolver);

}  // namespace gantry::net
