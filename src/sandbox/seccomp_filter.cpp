#include "sandbox/seccomp_filter.hpp"

#include "async/descriptor.hpp"
#include "base/json.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

namespace gantry::sandbox {
namespace {

constexpr std::size_t names_max = 1024;
constexpr std::size_t rules_max = 1024;
constexpr json::IntegerBounds any_number{0, INT64_MAX};
// A balanced tree instead of a list: every call of a program passes through it.
constexpr std::uint32_t binary_tree = 2;

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

Error broken(std::string_view what, int error) {
  return {ErrorKind::internal,
          "seccomp_not_compiled",
          fmt::format("cannot compile the seccomp profile: {}: {}", what, std::strerror(-error)),
          {}};
}

std::optional<std::uint32_t> action_of(std::string_view word, std::int64_t errno_value) {
  if (word == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (word == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(static_cast<std::uint32_t>(errno_value));
  return std::nullopt;
}

Result<scmp_arg_cmp> read_check(const json::Value& value) {
  json::Fields fields{value, "args", json::Keys::strict};
  auto index = fields.integer("index", {0, 5}).value_or(0);
  auto first = fields.integer("value", any_number).value_or(0);
  auto second = fields.integer("valueTwo", any_number).value_or(0);
  auto word = fields.required_text("op");
  if (word != "SCMP_CMP_MASKED_EQ") fields.refuse("op", "is none that our profile uses");
  if (auto done = fields.finish(); !done) return fail(done.error());
  return scmp_arg_cmp{static_cast<unsigned>(index), SCMP_CMP_MASKED_EQ,
                      static_cast<scmp_datum_t>(first), static_cast<scmp_datum_t>(second)};
}

Result<> add_rule(void* context, const json::Value& value) {
  json::Fields fields{value, "syscalls", json::Keys::strict};
  auto names = fields.texts("names", names_max);
  auto action = action_of(fields.required_text("action"),
                          fields.integer("errnoRet", {1, 4095}).value_or(EPERM));
  fields.text("comment");
  std::vector<scmp_arg_cmp> checks;
  if (const auto* args = fields.array("args", 6)) {
    for (const auto& arg : *args) {
      auto check = read_check(arg);
      if (!check) return fail(check.error());
      checks.push_back(*check);
    }
  }
  if (!action) fields.refuse("action", "is none that our profile uses");
  if (auto done = fields.finish(); !done) return fail(done.error());
  for (const auto& name : names) {
    int number = seccomp_syscall_resolve_name(name.c_str());
    if (number < 0) continue;  // another architecture's, or newer than this libseccomp
    int failure = seccomp_rule_add_array(context, *action, number,
                                         static_cast<unsigned>(checks.size()), checks.data());
    if (failure != 0) return fail(broken(name, failure));
  }
  return ok;
}

Result<std::string> exported(void* context) {
  async::Descriptor file{::memfd_create("seccomp", MFD_CLOEXEC)};
  int failure = seccomp_export_bpf(context, file.get());
  if (failure != 0) return fail(broken("exporting", failure));
  std::string bytes(static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END)), '\0');
  if (::pread(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(broken("reading", -errno));
  }
  return bytes;
}

}  // namespace

Result<std::string> seccomp_filter(std::string_view profile) {
  auto parsed = json::parse(profile, json::Keys::strict);
  if (!parsed) return fail(parsed.error());
  json::Fields fields{*parsed, "profile", json::Keys::strict};
  auto action = action_of(fields.required_text("defaultAction"),
                          fields.integer("defaultErrnoRet", {1, 4095}).value_or(EPERM));
  fields.array("archMap", 8);
  const auto* rules = fields.array("syscalls", rules_max);
  if (!action) fields.refuse("defaultAction", "is none that our profile uses");
  if (rules == nullptr) fields.refuse("syscalls", "is missing");
  if (auto done = fields.finish(); !done) return fail(done.error());

  Context context{seccomp_init(*action), &seccomp_release};
  if (!context) return fail(broken("beginning", -ENOMEM));
  if (int failure = seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, binary_tree)) {
    return fail(broken("choosing its form", failure));
  }
  for (const auto& rule : *rules) {
    if (auto added = add_rule(context.get(), rule); !added) return fail(added.error());
  }
  return exported(context.get());
}

}  // namespace gantry::sandbox
