#pragma once

#include "doctor/checks.hpp"

/// What the rows of the table judge by, for checks.cpp alone.
namespace gantry::doctor::judge {

// judge_access.cpp: from the endpoint to the right to connect.
Finding endpoint(const Facts& facts);
Finding socket(const Facts& facts);
Finding socket_group(const Facts& facts);
Finding membership(const Facts& facts);
Finding process_groups(const Facts& facts);
Finding access(const Facts& facts);

// judge_engine.cpp: what the engine says.
Finding engine(const Facts& facts);
Finding api(const Facts& facts);
Finding versions(const Facts& facts);
Finding isolation(const Facts& facts);
Finding cgroups(const Facts& facts);
Finding storage(const Facts& facts);
Finding logs(const Facts& facts);
Finding rootless(const Facts& facts);

// judge_network.cpp: what goes over networks.
Finding tls(const Facts& facts);
Finding exposed(const Facts& facts);
Finding names(const Facts& facts);
Finding registry(const Facts& facts);
Finding sandbox(const Facts& facts);

// judge_machine.cpp: who else may be root here, and what is around the engine.
Finding socket_mode(const Facts& facts);
Finding members(const Facts& facts);
Finding confinement(const Facts& facts);
Finding compose(const Facts& facts);
Finding buildx(const Facts& facts);
Finding clock(const Facts& facts);
Finding disk(const Facts& facts);

}  // namespace gantry::doctor::judge
