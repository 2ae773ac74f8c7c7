#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Which of a machine's package sources are its distribution's own. Pure: texts in, texts out.
namespace gantry::sandbox {

/// One file of /etc/apt: its name says how it is written.
struct AptFile {
  std::string name;  ///< Ends in `.list` or `.sources` (deb822).
  std::string content;
};

/// The codename that package archives use: `bookworm`. Empty when os-release has none.
std::string release_codename(std::string_view os_release);

/// One-line entries (`deb [signed-by=…] http://… bookworm main`) of the Debian or Ubuntu archives
/// of this release, updates and security fixes included. Other vendors' sources, other releases,
/// source packages and CD-ROMs are left out; of the components main and universe stay.
std::vector<std::string> distribution_sources(const std::vector<AptFile>& files,
                                              std::string_view codename);

}  // namespace gantry::sandbox
