#pragma once

#include "doctor/facts.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How the engine is started and stopped on a machine: with systemd, and without it.
namespace gantry::doctor {

/// What a machine has that may start services.
struct StarterSigns {
  bool snap = false;     ///< Docker is there as a snap.
  bool package = false;  ///< There is a `dockerd`, or a unit for one, that is no snap's.
  bool systemd = false;  ///< /run/systemd/system is there (sd_booted(3)).
  bool script = false;   ///< /etc/init.d/docker is there.
};
Starter starter_by(const StarterSigns& signs);
/// The same, by the engine's own word where it has answered: a snap's may run beside a package's.
Starter starter_of(const Facts& facts);

/// As somebody would type them, or the user whose engine it is.
struct EngineCommands {
  std::string_view start;
  std::string_view stop;
  std::string_view restart;
  std::string_view log;
  std::string_view at_boot;  ///< Empty: it starts with the machine anyway, or nobody starts it.
};
/// One of the engine whose socket `facts` are about, a user's or the machine's, for whom the
/// remedies are.
std::string engine_command(const Facts& facts, std::string_view EngineCommands::* which);

/// Whose systemd starts the engine of `facts`; nothing: it is the machine's.
std::optional<Id> whose_engine(const Facts& facts);

/// Where an engine with this data root has its settings, if not where it usually has them.
std::optional<std::string> own_settings_file(std::string_view data_root);
/// Where that of `facts` has them.
std::string settings_file(const Facts& facts);

}  // namespace gantry::doctor
