#include "executions/packing.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <utility>

namespace gantry::executions {
namespace {

using sandbox::Policy;
using sandbox::Program;

// What JSON holds as a whole number of its unit.
constexpr std::int64_t whole_max = std::int64_t{1} << 52U;
constexpr std::size_t text_max = std::size_t{64} << 20U;

json::Array words(const std::vector<std::string>& texts) {
  json::Array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

json::Object policy_json(const Policy& policy) {
  return {{"wall_time", policy.wall_time.count()},
          {"cpu_time", policy.cpu_time.count()},
          {"memory", policy.memory.count},
          {"cpus", policy.cpus},
          {"pids", policy.pids},
          {"output", policy.output.count},
          {"on_output_cap", static_cast<int>(policy.on_output_cap)},
          {"file", policy.file.count},
          {"tmpfs", policy.tmpfs.count},
          {"network", static_cast<int>(policy.network)},
          {"filesystem", static_cast<int>(policy.filesystem)},
          {"workspace", policy.workspace},
          {"runtime", static_cast<int>(policy.runtime)}};
}

json::Object program_json(const Program& program) {
  json::Array files;
  for (const auto& file : program.files) {
    files.emplace_back(json::Object{
        {"path", file.path}, {"size", file.content.size()}, {"mode", static_cast<int>(file.mode)}});
  }
  json::Array env;
  for (const auto& [name, value] : program.env) env.emplace_back(json::Array{name, value});
  json::Object about{{"language", program.language},
                     {"image", program.image},
                     {"command", words(program.command)},
                     {"working_dir", program.working_dir},
                     {"files", std::move(files)},
                     {"entry", program.entry},
                     {"env", std::move(env)},
                     {"input", program.input.size()}};
  if (program.compile) {
    about["compile"] = json::Object{{"command", words(program.compile->command)},
                                    {"wall_time", program.compile->wall_time.count()},
                                    {"cpu_time", program.compile->cpu_time.count()}};
  }
  return about;
}

/// Bounds are there only where they are less than all.
json::Object caller_json(const Caller& caller) {
  json::Object about{{"user", caller.user},
                     {"token", caller.token},
                     {"user_id", caller.user_id},
                     {"logins", static_cast<int>(caller.logins)}};
  auto add = [&](std::string_view key, std::size_t bound) {
    if (bound != Caller::unbounded) about[key] = bound;
  };
  add("running_max", caller.running_max);
  add("queued_max", caller.queued_max);
  return about;
}

/// Reads our own JSON; what is missing or wrong spoils `sound`.
class Reader {
 public:
  Reader(const json::Value& value, std::string_view content)
      : fields_{value, "", json::Keys::strict}, content_{content} {}

  Unpacked read() {
    Unpacked unpacked;
    auto& submission = unpacked.submission;
    if (const auto* caller = fields_.member("caller")) unpacked.caller = caller_of(*caller);
    if (const auto* program = member("program")) submission.program = program_of(*program);
    if (const auto* policy = member("policy")) submission.policy = policy_of(*policy);
    submission.executor = choice<sandbox::ExecutorChoice>(fields_, "executor", 3);
    submission.input = choice<Input>(fields_, "typing", 2);
    submission.webhook = text(fields_, "webhook");
    if (const auto* terminal = fields_.member("terminal")) {
      json::Fields fields{*terminal, "", json::Keys::strict};
      submission.terminal = {.rows = static_cast<int>(whole(fields, "rows")),
                             .columns = static_cast<int>(whole(fields, "columns"))};
      end(fields);
    }
    end(fields_);
    sound_ = sound_ && content_.empty();
    return unpacked;
  }
  bool sound() const { return sound_; }

 private:
  const json::Value* member(std::string_view key) {
    const auto* found = fields_.member(key);
    sound_ = sound_ && found != nullptr;
    return found;
  }
  std::int64_t whole(json::Fields& fields, std::string_view key) {
    auto number = fields.integer(key, {0, whole_max});
    sound_ = sound_ && number;
    return number.value_or(0);
  }
  std::string text(json::Fields& fields, std::string_view key) {
    return fields.text(key, {0, text_max}).value_or("");
  }
  template <class Enum>
  Enum choice(json::Fields& fields, std::string_view key, int count) {
    auto number = whole(fields, key);
    sound_ = sound_ && number < count;
    return static_cast<Enum>(number < count ? number : 0);
  }
  void end(json::Fields& fields) {
    auto read = fields.finish();
    sound_ = sound_ && read.has_value();
  }
  /// The next bytes of the content.
  std::string take(std::int64_t size) {
    auto count = static_cast<std::size_t>(size);
    sound_ = sound_ && count <= content_.size();
    std::string bytes{content_.substr(0, count)};
    content_.remove_prefix(std::min(count, content_.size()));
    return bytes;
  }
  std::vector<std::string> texts(json::Fields& fields, std::string_view key) {
    return fields.texts(key, text_max, {0, text_max});
  }

  Caller caller_of(const json::Value& value) {
    json::Fields fields{value, "", json::Keys::strict};
    auto bound = [&](std::string_view key) {
      auto number = fields.integer(key, {0, whole_max});
      return number ? static_cast<std::size_t>(*number) : Caller::unbounded;
    };
    Caller caller{.user = text(fields, "user"), .token = text(fields, "token")};
    caller.running_max = bound("running_max");
    caller.queued_max = bound("queued_max");
    caller.user_id = text(fields, "user_id");
    caller.logins = choice<sandbox::Logins>(fields, "logins", 2);
    end(fields);
    return caller;
  }

  Policy policy_of(const json::Value& value) {
    json::Fields fields{value, "", json::Keys::strict};
    Policy policy;
    policy.wall_time = Milliseconds{whole(fields, "wall_time")};
    policy.cpu_time = Milliseconds{whole(fields, "cpu_time")};
    policy.memory = Bytes{static_cast<std::uint64_t>(whole(fields, "memory"))};
    policy.cpus = fields.number("cpus", {0, 1e6}).value_or(1);
    policy.pids = static_cast<int>(whole(fields, "pids"));
    policy.output = Bytes{static_cast<std::uint64_t>(whole(fields, "output"))};
    policy.on_output_cap = choice<sandbox::OnOutputCap>(fields, "on_output_cap", 2);
    policy.file = Bytes{static_cast<std::uint64_t>(whole(fields, "file"))};
    policy.tmpfs = Bytes{static_cast<std::uint64_t>(whole(fields, "tmpfs"))};
    policy.network = choice<sandbox::Network>(fields, "network", 3);
    policy.filesystem = choice<sandbox::Filesystem>(fields, "filesystem", 3);
    policy.workspace = text(fields, "workspace");
    policy.runtime = choice<sandbox::Runtime>(fields, "runtime", 2);
    end(fields);
    return policy;
  }

  Program program_of(const json::Value& value) {
    json::Fields fields{value, "", json::Keys::strict};
    Program program;
    program.language = text(fields, "language");
    program.image = text(fields, "image");
    program.command = texts(fields, "command");
    program.working_dir = text(fields, "working_dir");
    program.entry = text(fields, "entry");
    if (const auto* files = fields.array("files", text_max)) {
      for (const auto& file : *files) program.files.push_back(file_of(file));
    }
    if (const auto* env = fields.array("env", text_max)) {
      for (const auto& pair : *env) add_variable(pair, program);
    }
    if (const auto* compile = fields.member("compile")) program.compile = compile_of(*compile);
    program.input = take(whole(fields, "input"));
    end(fields);
    return program;
  }

  sandbox::File file_of(const json::Value& value) {
    json::Fields fields{value, "", json::Keys::strict};
    sandbox::File file;
    file.path = text(fields, "path");
    file.content = take(whole(fields, "size"));
    file.mode = choice<sandbox::File::Mode>(fields, "mode", 2);
    end(fields);
    return file;
  }

  sandbox::Compile compile_of(const json::Value& value) {
    json::Fields fields{value, "", json::Keys::strict};
    sandbox::Compile compile;
    compile.command = texts(fields, "command");
    compile.wall_time = Milliseconds{whole(fields, "wall_time")};
    compile.cpu_time = Milliseconds{whole(fields, "cpu_time")};
    end(fields);
    return compile;
  }

  void add_variable(const json::Value& pair, Program& program) {
    const auto* words = pair.if_array();
    bool is_pair = words != nullptr && words->size() == 2 && (*words)[0].is_string() &&
                   (*words)[1].is_string();
    sound_ = sound_ && is_pair;
    if (!is_pair) return;
    program.env.emplace_back(std::string{(*words)[0].get_string()},
                             std::string{(*words)[1].get_string()});
  }

  json::Fields fields_;
  std::string_view content_;
  bool sound_ = true;
};

}  // namespace

Packed pack(const Submission& submission, const Caller& caller) {
  json::Object about{{"program", program_json(submission.program)},
                     {"policy", policy_json(submission.policy)},
                     {"executor", static_cast<int>(submission.executor)},
                     {"typing", static_cast<int>(submission.input)},
                     {"webhook", submission.webhook},
                     {"caller", caller_json(caller)}};
  if (submission.terminal) {
    about["terminal"] = json::Object{{"rows", submission.terminal->rows},
                                     {"columns", submission.terminal->columns}};
  }
  Packed packed{.about = json::serialize(about), .content = {}};
  for (const auto& file : submission.program.files) packed.content += file.content;
  packed.content += submission.program.input;
  return packed;
}

Result<Unpacked> unpack(const Packed& packed) {
  auto unreadable = [](std::string cause) {
    return fail(ErrorKind::internal, "program_unreadable",
                "cannot read the program that waited on disk: " + cause);
  };
  auto value = json::parse(packed.about, json::Keys::strict);
  if (!value) return unreadable(value.error().message);
  Reader reader{*value, packed.content};
  auto unpacked = reader.read();
  if (!reader.sound()) return unreadable("it is not what this version writes");
  return unpacked;
}

}  // namespace gantry::executions
