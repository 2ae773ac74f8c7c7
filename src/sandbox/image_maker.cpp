#include "sandbox/image_maker.hpp"

#include "async/attempt.hpp"
#include "async/deadline.hpp"
#include "async/finally.hpp"
#include "async/process.hpp"
#include "base/random.hpp"
#include "base/text.hpp"
#include "engine/images.hpp"
#include "sandbox/labels.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gantry::sandbox {
namespace fs = std::filesystem;
namespace {

constexpr Milliseconds fetch_max{15 * 60'000};
// How long mmdebstrap may take to clean up after itself when it is interrupted.
constexpr Milliseconds leave_max{15'000};
constexpr std::size_t output_max = 16U << 10U;
constexpr std::size_t piece_bytes = 64U << 10U;

/// A child process that is asked to stop, and given time to, before it is killed: mmdebstrap
/// removes its own temporary folder only when it may.
struct Child {
  async::Process process;
  std::string output;
  std::optional<async::ExitStatus> status;
};

async::task<async::ExitStatus> follow(Child& child) {
  std::array<char, 8192> buffer{};
  while (auto count = co_await child.process.read_some(buffer)) {
    child.output.append(buffer.data(), count);
    if (child.output.size() > output_max) {
      child.output.erase(0, child.output.size() - output_max);
    }
  }
  child.status = co_await child.process.wait();
  co_return *child.status;
}

async::task<void> leave(Child& child) {
  if (child.status) co_return;
  child.process.kill(SIGTERM);
  co_await async::attempt(async::with_deadline(leave_max, "ending mmdebstrap", follow(child)));
}

/// What mmdebstrap itself says went wrong: its lines that begin with `E:`, or the last ones.
std::string complaint(const std::string& output) {
  std::vector<std::string> errors;
  std::vector<std::string> all;
  for (auto line : text::split(output, '\n')) {
    line = text::trimmed(line);
    if (line.empty()) continue;
    all.push_back(text::one_line(line));
    if (line.starts_with("E: ") || line.starts_with("Err:")) errors.push_back(all.back());
  }
  auto& told = errors.empty() ? all : errors;
  constexpr std::ptrdiff_t lines_max = 3;
  auto skipped = std::max<std::ptrdiff_t>(0, std::ssize(told) - lines_max);
  told.erase(told.begin(), told.begin() + skipped);
  return told.empty() ? "it said nothing" : fmt::format("{}", fmt::join(told, " / "));
}

Error not_made(const ImageRecipe& recipe, ErrorKind kind, std::string code, std::string_view cause,
               std::string remedy) {
  return {kind, std::move(code), fmt::format("cannot make image '{}': {}", recipe.image, cause),
          std::move(remedy)};
}

std::string remedy_for(std::string_view complaint) {
  constexpr auto none = std::string_view::npos;
  if (complaint.find("newuidmap") != none || complaint.find("subuid") != none ||
      complaint.find("unshare") != none || complaint.find("chroot mode") != none) {
    return "install uidmap ('apt-get install uidmap'), or run this as root";
  }
  if (complaint.find("Unable to locate package") != none) {
    return "the package sources of this machine do not have it: look into /etc/apt";
  }
  return "see whether 'apt-get update' works on this machine; the packages come from the same "
         "place";
}

/// Empty when it is not a file.
std::string read_text(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return {};
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// A file as an upload's pieces, read off the loop.
async::task<std::string> next_piece(std::shared_ptr<std::ifstream> file, async::Workers& workers) {
  auto read = [&] {
    std::string piece(piece_bytes, '\0');
    file->read(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.resize(static_cast<std::size_t>(file->gcount()));
    return piece;
  };
  co_return co_await workers.run(read);
}

fs::path make_private_folder(const fs::path& where) {
  auto folder = where / fmt::format("gantry-image-{}", random::word(12));
  std::error_code error;
  fs::create_directory(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) {
    throw Failure{{ErrorKind::unavailable, "no_temporary_folder",
                   fmt::format("cannot make folder '{}': {}", folder.string(), error.message()),
                   "set TMPDIR to a folder that can be written to"}};
  }
  return folder;
}

std::string megabytes(std::uintmax_t bytes) {
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

Result<PackageHost> read_package_host(const fs::path& root, std::vector<std::string> env,
                                      fs::path temporary) {
  PackageHost host;
  host.codename = release_codename(read_text(root / "etc/os-release"));
  if (host.codename.empty()) {
    return fail(ErrorKind::not_found, "no_distribution",
                "cannot make images on this machine: it is no Debian or Ubuntu release",
                "pull images on a machine with a network and load them, or make them on a Debian");
  }
  std::vector<fs::path> paths{root / "etc/apt/sources.list"};
  std::error_code error;
  for (const auto& entry : fs::directory_iterator{root / "etc/apt/sources.list.d", error}) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin() + 1, paths.end());
  std::vector<AptFile> files;
  for (const auto& path : paths) files.push_back({path.filename().string(), read_text(path)});
  host.sources = distribution_sources(files, host.codename);
  host.env = std::move(env);
  host.temporary = std::move(temporary);
  return host;
}

std::vector<std::string> package_command(const ImageRecipe& recipe, const PackageHost& host,
                                         const fs::path& into) {
  std::vector<std::string> argv{"mmdebstrap", "--quiet", "--variant=extract",
                                fmt::format("--include={}", fmt::join(recipe.packages, ","))};
  if (!recipe.hook.empty()) argv.push_back(fmt::format("--extract-hook={}", recipe.hook));
  argv.push_back(host.codename);
  argv.push_back(into.string());
  argv.insert(argv.end(), host.sources.begin(), host.sources.end());
  return argv;
}

async::task<Result<>> ImageMaker::fetch(const ImageRecipe& recipe, fs::path into) {
  async::ProcessSpec spec{package_command(recipe, host_, into), host_.env};
  auto started = async::Process::start(executor_, spec);
  if (!started) {
    co_return fail(not_made(recipe, ErrorKind::not_found, "image_tool_missing",
                            "mmdebstrap is not installed", "run 'apt-get install mmdebstrap'"));
  }
  Child child{std::move(*started), {}, {}};
  auto status = co_await async::with_deadline(
      fetch_max, fmt::format("fetching the packages of '{}'", recipe.image),
      async::finally(follow(child), leave(child)));
  if (status.success()) co_return ok;
  auto cause = complaint(child.output);
  auto remedy = remedy_for(cause);
  co_return fail(not_made(recipe, ErrorKind::unavailable, "packages_unavailable",
                          fmt::format("mmdebstrap failed: {}", cause), std::move(remedy)));
}

async::task<Result<std::string>> ImageMaker::make_in(const ImageRecipe& recipe, fs::path folder,
                                                     OnProgress progress) {
  auto packages = folder / "packages.tar";
  auto root = folder / "root.tar";
  progress(fmt::format("{}: fetching {} of {}", recipe.image, fmt::join(recipe.packages, ", "),
                       host_.codename));
  if (auto fetched = co_await fetch(recipe, packages); !fetched) co_return fail(fetched.error());

  progress(fmt::format("{}: packing", recipe.image));
  auto pack = [&] {
    root_tar::rebuild(packages, root, {recipe.links, recipe.kept});
    fs::remove(packages);
    return fs::file_size(root);
  };
  auto size = co_await workers_.run(pack);

  progress(fmt::format("{}: importing {}", recipe.image, megabytes(size)));
  auto file = std::make_shared<std::ifstream>(root, std::ios::binary);
  engine::Source source = [file, &workers = workers_] { return next_piece(file, workers); };
  std::vector<std::string> changes{
      fmt::format("LABEL {}={}", labels::recipe, recipe.marker),
      "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", R"(CMD ["sh"])"};
  auto reference = value_or_throw(engine::ImageReference::parse(recipe.image));
  co_return co_await engine::import_image(engine_, reference, std::move(source),
                                          std::move(changes));
}

async::task<void> ImageMaker::remove(fs::path folder) {
  std::error_code ignored;
  co_await workers_.run([&] { fs::remove_all(folder, ignored); });
}

async::task<Result<std::string>> ImageMaker::make(const ImageRecipe& recipe, OnProgress progress) {
  auto before = co_await engine::inspect_image(engine_, std::string{recipe.image});
  if (!before && before.error().kind != ErrorKind::not_found) co_return fail(before.error());

  auto folder = make_private_folder(host_.temporary);
  auto made = co_await async::finally(make_in(recipe, folder, progress), remove(folder));
  if (!made) co_return made;
  // The one it replaces has lost its name and would only take room; one in use stays.
  if (before && before->id != *made) {
    co_await async::attempt(
        engine::remove_image(engine_, before->id, engine::RemoveImage::unless_used));
  }
  co_return made;
}

}  // namespace gantry::sandbox
