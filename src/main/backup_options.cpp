#include "main/backup_options.hpp"

#include <string>

namespace gantry::main {
namespace {

constexpr const char* backup_footer =
    "Opens the database itself, which no server may be using meanwhile. The backup holds the\n"
    "database of either kind and can be restored into the other kind. Outputs too large for the\n"
    "database, workspaces and recordings are files of the data folder: copy those beside it.\n\n"
    "Examples:\n"
    "  gantry backup /var/backups/gantry.backup\n"
    "  gantry backup --passphrase-file /root/passphrase gantry.backup   with secret.key, sealed";
constexpr const char* restore_footer =
    "The whole file is checked first; then everything is restored, or nothing. The backup must be "
    "of\nthis version of gantry.\n\n"
    "Examples:\n"
    "  gantry restore --data-dir /srv/gantry gantry.backup\n"
    "  gantry restore --database postgresql://gantry@db/gantry gantry.backup";

}  // namespace

void add_backups(CLI::App& app, Flags& flags, void (*add_place)(CLI::App&, Flags&)) {
  auto* backup = app.add_subcommand("backup", "Copy the whole database into a file");
  backup->add_option("FILE", flags.backup_file, "The file to write")->required();
  backup
      ->add_option("--passphrase-file", flags.passphrase_file,
                   "Put the data folder's keys in, too, sealed with the first line of this file")
      ->type_name("FILE");
  backup->add_flag("--force", flags.force, "Replace a file that is there");
  backup->footer(backup_footer);
  auto* restore = app.add_subcommand("restore", "Fill a database from a backup");
  restore->add_option("FILE", flags.backup_file, "The file to read")->required();
  restore
      ->add_option("--passphrase-file", flags.passphrase_file,
                   "Bring the keys back that are in it, opened with the first line of this file")
      ->type_name("FILE");
  restore->add_flag("--force", flags.force, "Replace what the database and the data folder hold");
  restore->footer(restore_footer);
  for (auto* one : {backup, restore}) add_place(*one, flags);
}

bool is_backup(std::string_view command) { return command == "backup" || command == "restore"; }

BackupCommand backup_command(const CommandLine& line, DatabaseOptions database) {
  using Action = BackupCommand::Action;
  const auto& flags = line.flags;
  return {.action = line.command == "backup" ? Action::backup : Action::restore,
          .database = std::move(database),
          .file = flags.backup_file.value_or(""),
          .passphrase_file = flags.passphrase_file.value_or(""),
          .replace = flags.force ? storage::Replace::allowed : storage::Replace::refused};
}

}  // namespace gantry::main
