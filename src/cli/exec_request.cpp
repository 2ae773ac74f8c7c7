#include "cli/exec_request.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "sandbox/program.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

namespace gantry::cli {
namespace {

using Words = std::vector<std::string>;
using ReadFile = std::function<Result<LocalFile>(const std::string&)>;

std::unexpected<Error> refuse(std::string message, std::string remedy) {
  return fail(ErrorKind::invalid, "bad_program", std::move(message), std::move(remedy));
}

json::Array to_array(const Words& words) {
  json::Array array;
  for (const auto& word : words) array.emplace_back(word);
  return array;
}

Words from(const Words& words, std::size_t first) {
  if (first >= words.size()) return {};
  return {words.begin() + static_cast<std::ptrdiff_t>(first), words.end()};
}

bool is_shell(const sandbox::Language& language) { return language.run.front() == "sh"; }

/// The words before the program itself: `python3 -u`.
Words interpreter_of(const sandbox::Language& language) {
  auto place = [](const std::string& word) { return word.find('{') != word.npos; };
  return {language.run.begin(), std::ranges::find_if(language.run, place)};
}

/// Whether an interpreter takes its program from the command line after `word`. `-c` does for all
/// of them here; node itself says `-e`.
bool is_code_flag(std::string_view word, const sandbox::Language& language) {
  return word == "-c" || (word == "-e" && language.name == "javascript");
}

Result<json::Object> with_source(const sandbox::Language& language, std::string source,
                                 const Words& args) {
  if (!text::valid_utf8(source)) {
    return refuse("cannot send the program: it is not UTF-8 text",
                  "send it with --file and run it with --image");
  }
  json::Object body{{"language", language.name}, {"source", std::move(source)}};
  if (!args.empty()) body["args"] = to_array(args);
  return body;
}

Result<json::Object> with_file(const sandbox::Language& language, const std::string& path,
                               const Words& args, const ReadFile& read) {
  auto file = read(path);
  if (!file) return fail(file.error());
  return with_source(language, std::move(file->content), args);
}

/// `python -c CODE`, `javascript -e CODE`, `python FILE`, `python -`, `python -m MODULE`.
Result<json::Object> with_language(const sandbox::Language& language, const Words& words,
                                   const ReadFile& read, std::string& input) {
  if (words.size() < 2) {
    return refuse(fmt::format("cannot run '{}': there is no program", words[0]),
                  "give a file, '-c CODE', or '-' to read it from standard input");
  }
  if (words[1] == "-") return with_source(language, std::exchange(input, {}), from(words, 2));
  if (is_code_flag(words[1], language)) {
    if (words.size() < 3) {
      return refuse(fmt::format("cannot run '{} {}': the code is missing", words[0], words[1]),
                    fmt::format("write {} {} 'CODE'", words[0], words[1]));
    }
    // After the code, a shell takes one more word as the name it calls itself.
    return with_source(language, words[2], from(words, is_shell(language) ? 4 : 3));
  }
  if (!words[1].starts_with('-')) return with_file(language, words[1], from(words, 2), read);
  auto command = interpreter_of(language);
  if (command.empty() || !language.compile.empty()) {
    return refuse(fmt::format("cannot run '{} {}': {} has no interpreter with flags", words[0],
                              words[1], language.name),
                  "give a file, '-c CODE', or '-' to read it from standard input");
  }
  for (auto& word : from(words, 1)) command.push_back(std::move(word));
  return json::Object{{"image", language.image}, {"command", to_array(command)}};
}

Result<json::Object> program_of(const ExecCommand& command, const ReadFile& read,
                                std::string& input) {
  const auto& words = command.words;
  if (!command.image.empty()) {
    if (words.empty()) {
      return refuse(fmt::format("cannot run image '{}': there is no command", command.image),
                    "write it after the image: --image IMAGE -- COMMAND");
    }
    return json::Object{{"image", command.image}, {"command", to_array(words)}};
  }
  if (words.empty()) {
    return refuse("cannot run anything: nothing is named",
                  "try: gantry exec python -c 'print(6 * 7)'");
  }
  if (const auto* language = command.languages.find(words[0])) {
    return with_language(*language, words, read, input);
  }
  if (const auto* language = command.languages.of_file(words[0])) {
    return with_file(*language, words[0], from(words, 1), read);
  }
  return refuse(fmt::format("cannot run '{}': it is neither a language ({}) nor a file of one",
                            words[0], command.languages.names()),
                "name the image it is to run in: --image IMAGE -- COMMAND");
}

Result<json::Array> files_of(const ExecCommand& command, const ReadFile& read) {
  json::Array files;
  for (const auto& item : command.files) {
    if (auto path = sandbox::check_file_path(item.destination); !path) {
      return refuse(fmt::format("cannot send file '{}' as '{}': the path {}", item.path,
                                item.destination, path.error().message),
                    "write --file PATH:DESTINATION, with a destination below /box");
    }
    auto file = read(item.path);
    if (!file) return fail(file.error());
    json::Object object{{"path", item.destination}};
    if (text::valid_utf8(file->content)) {
      object["content"] = std::move(file->content);
    } else {
      object["content"] = encoding::base64(file->content);
      object["encoding"] = "base64";
    }
    if (file->mode == LocalFile::Mode::executable) object["executable"] = true;
    files.emplace_back(std::move(object));
  }
  return files;
}

json::Object limits_of(const ExecCommand& command) {
  json::Object limits;
  if (command.wall_time_ms) limits["wall_time_ms"] = *command.wall_time_ms;
  if (command.memory_bytes) limits["memory_bytes"] = *command.memory_bytes;
  if (command.cpus) limits["cpus"] = *command.cpus;
  if (command.pids) limits["pids"] = *command.pids;
  return limits;
}

}  // namespace

Result<LocalFile> read_local_file(const std::string& path) {
  auto refuse_file = [&](std::string_view cause) {
    return fail(ErrorKind::not_found, "no_file",
                fmt::format("cannot read file '{}': {}", text::one_line(path), cause), "");
  };
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return refuse_file(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return refuse_file("it is not a regular file");
  if (static_cast<std::size_t>(status.st_size) > sandbox::program_limits.files_bytes_max) {
    return fail(ErrorKind::too_large, "file_too_large",
                fmt::format("cannot send file '{}': it is larger than 10 MiB, and so much is all "
                            "that the files of a program may have together",
                            text::one_line(path)),
                "send less of it, or put it into an image and name that with --image");
  }
  std::ifstream file{path, std::ios::binary};
  if (!file) return refuse_file(std::strerror(errno));
  LocalFile local{{std::istreambuf_iterator<char>{file}, {}}, {}};
  if ((status.st_mode & S_IXUSR) != 0) local.mode = LocalFile::Mode::executable;
  return local;
}

ProgramFrom program_from(const ExecCommand& command) {
  bool dash = command.image.empty() && command.words.size() >= 2 && command.words[1] == "-" &&
              command.languages.find(command.words[0]) != nullptr;
  return dash ? ProgramFrom::standard_input : ProgramFrom::words;
}

Result<json::Value> execution_request(const ExecCommand& command, const ReadFile& read,
                                      std::string input) {
  if (program_from(command) == ProgramFrom::standard_input &&
      command.input == ExecCommand::Input::forwarded) {
    return refuse("cannot read both the program and its input from standard input",
                  "put one of them into a file");
  }
  auto body = program_of(command, read, input);
  if (!body) return fail(body.error());
  auto files = files_of(command, read);
  if (!files) return fail(files.error());
  if (!files->empty()) (*body)["files"] = std::move(*files);
  json::Object env;
  for (const auto& [name, value] : command.env) env[name] = value;
  if (!env.empty()) (*body)["env"] = std::move(env);
  if (!text::valid_utf8(input)) {
    return refuse("cannot send standard input: it is not UTF-8 text",
                  "send it as a file with --file");
  }
  if (!input.empty()) (*body)["stdin"] = std::move(input);
  if (auto limits = limits_of(command); !limits.empty()) (*body)["limits"] = std::move(limits);
  return json::Value(std::move(*body));
}

}  // namespace gantry::cli
