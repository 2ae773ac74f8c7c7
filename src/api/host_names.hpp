#pragma once

#include "access/access.hpp"
#include "fleet/fleet.hpp"

namespace gantry::api {

/// How grants find the hosts of this fleet, which must outlive the answer.
access::HostNames host_names(const fleet::Fleet& fleet);

}  // namespace gantry::api
