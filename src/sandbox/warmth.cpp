#include "sandbox/warmth.hpp"

#include "sandbox/hardening.hpp"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace gantry::sandbox {
namespace {

// Where gantry-init gives an interpreter the end of the channel it waits on
// (docs/protocols/init.md).
constexpr int waiting_descriptor = 3;

using Texts = std::span<const std::string_view>;

/// What an interpreter reads before it comes to wait, and what else would show that it has waited.
struct Kind {
  Interpreter interpreter;
  std::string_view name;
  Bytes cost;
  /// The command that it is booted with; a program's own may have arguments behind it.
  std::vector<std::string_view> command;
  /// Variables of an image with which the way to make it wait would be seen.
  Texts image_variables;
  /// Words of a program that may look at what a plain run would show differently: the command line
  /// in /proc, when the process began, how much room a process's title has, what is collected.
  Texts words;
  /// Files of a program that are looked for early.
  Texts files;
};

constexpr std::array<std::string_view, 5> python_images{
    "PYTHONPATH", "PYTHONVERBOSE", "PYTHONPROFILEIMPORTTIME", "PYTHONDUMPREFS", "PYTHONINSPECT"};
constexpr std::array<std::string_view, 3> node_images{"NODE_OPTIONS", "NODE_DEBUG",
                                                      "NODE_V8_COVERAGE"};
// The collector tells of what a waiting interpreter took out of its sight.
constexpr std::array<std::string_view, 4> python_words{"/proc", "import gc", "from gc", "gc."};
constexpr std::array<std::string_view, 7> node_words{"/proc",         "performance",   "perf_hooks",
                                                     "uptime",        "process.title", "_idleStart",
                                                     "moduleLoadList"};
constexpr std::array<std::string_view, 1> node_files{"package.json"};

const std::array<Kind, 3>& kinds() {
  static const std::array<Kind, 3> table{
      Kind{Interpreter::none, "none", Bytes{4U << 20U}, {}, {}, {}, {}},
      Kind{Interpreter::python,
           "python",
           Bytes{12U << 20U},
           {"python3", "-u", "main.py"},
           python_images,
           python_words,
           {}},
      Kind{Interpreter::node,
           "node",
           Bytes{48U << 20U},
           {"node", "main.js"},
           node_images,
           node_words,
           node_files},
  };
  return table;
}

const Kind& kind_of(Interpreter interpreter) {
  return kinds().at(static_cast<std::size_t>(interpreter));
}

// Variables that loaders, C libraries and interpreters read while they start. Names that begin so.
constexpr std::array<std::string_view, 20> early_prefixes{
    "PYTHON",  "NODE_", "LD_",  "LC_",        "LANG",  "MALLOC_",  "GLIBC_",
    "GCONV_",  "UV_",   "V8_",  "SSL_",       "ICU_",  "OPENSSL_", "TZ",
    "GANTRY_", "DYLD_", "COV_", "SETUPTOOLS", "ASAN_", "COVERAGE"};
constexpr std::array<std::string_view, 6> early_names{"HOME",    "PATH",    "NLSPATH",
                                                      "LOCPATH", "CHARSET", "LOCALDOMAIN"};

bool read_early(std::string_view name) {
  auto begins = [&](std::string_view prefix) { return name.starts_with(prefix); };
  return std::ranges::any_of(early_prefixes, begins) ||
         std::ranges::find(early_names, name) != early_names.end();
}

bool sets(const ServedImage& image, std::string_view variable) {
  return std::ranges::any_of(image.env, [&](std::string_view entry) {
    return entry.starts_with(variable) && entry.substr(variable.size()).starts_with('=');
  });
}

bool mentions(const File& file, Texts words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return file.content.find(word) != std::string::npos; });
}

bool suits(const Kind& kind, const Execution& execution, const ServedImage& image) {
  const auto& program = execution.program;
  bool plain =
      kind.interpreter != Interpreter::none && !program.compile && !execution.terminal &&
      program.working_dir.empty() && program.command.size() >= kind.command.size() &&
      std::ranges::equal(kind.command, std::span{program.command}.first(kind.command.size()));
  if (!plain) return false;
  // Hidden files are settings to some interpreters (~/.local), read at their start.
  bool files_can_wait = std::ranges::none_of(program.files, [&](const File& file) {
    return file.path.starts_with('.') || mentions(file, kind.words) ||
           std::ranges::find(kind.files, file.path) != kind.files.end();
  });
  bool variables_can_wait = std::ranges::none_of(
      program.env, [](const auto& variable) { return read_early(variable.first); });
  bool image_can_wait = std::ranges::none_of(
      kind.image_variables, [&](std::string_view name) { return sets(image, name); });
  return files_can_wait && variables_can_wait && image_can_wait;
}

}  // namespace

std::string_view word(Interpreter interpreter) { return kind_of(interpreter).name; }

bool WarmClass::usual() const {
  const Policy policy;
  bool usual_file = interpreter == Interpreter::none || file == policy.file;
  return usual_file && tmpfs == policy.tmpfs && network == policy.network &&
         filesystem == policy.filesystem && runtime == policy.runtime;
}

std::string WarmClass::text() const {
  return fmt::format("{}, tmpfs {} MiB, network {}, filesystem {}, {}",
                     interpreter == Interpreter::none ? "any program" : word(interpreter),
                     tmpfs.count >> 20U, word(network), word(filesystem), word(runtime));
}

WarmClass warm_class_of(const Execution& execution, const ServedImage& image) {
  const auto& policy = execution.policy;
  WarmClass warm{.image_id = image.id,
                 .tmpfs = policy.tmpfs,
                 .network = policy.network,
                 .filesystem = policy.filesystem,
                 .runtime = policy.runtime};
  for (const auto& kind : kinds()) {
    if (!suits(kind, execution, image)) continue;
    warm.interpreter = kind.interpreter;
    warm.file = policy.file;
  }
  return warm;
}

Bytes cost_of(Interpreter interpreter) { return kind_of(interpreter).cost; }

std::optional<init::Boot> boot_of(const WarmClass& warm_class, const ServedImage& image) {
  const auto& kind = kind_of(warm_class.interpreter);
  if (kind.interpreter == Interpreter::none) return std::nullopt;
  init::Boot boot{.command = {},
                  .env = {{"GANTRY_WAIT", std::to_string(waiting_descriptor)}},
                  .image_env = image.env,
                  .file = warm_class.file};
  for (auto word : kind.command) boot.command.emplace_back(word);
  if (kind.interpreter == Interpreter::python) {
    boot.env.emplace_back("PYTHONPATH", init_folder);
  } else {
    boot.env.emplace_back("NODE_OPTIONS", fmt::format("--require {}/waiter.cjs", init_folder));
  }
  return boot;
}

}  // namespace gantry::sandbox
