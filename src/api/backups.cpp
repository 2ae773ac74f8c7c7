#include "access/manage.hpp"
#include "api/handlers.hpp"
#include "executions/files.hpp"

#include <sys/stat.h>

// The whole database of a running server, as one file.
namespace gantry::api {
namespace {

/// It takes the database's time and the disk's.
class Turn {
 public:
  explicit Turn(bool& taken) : taken_{taken} { taken_ = true; }
  ~Turn() { taken_ = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  bool& taken_;
};

std::uint64_t size_of(const async::Descriptor& file) {
  struct stat status{};
  return ::fstat(file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

Answer make_backup(Call& call) {
  if (auto read = call.query.finish(); !read) co_return fail(read.error());
  // It holds what every scope opens, and what no limit of a token would.
  auto may = access::may_hand_out_rights(*call.identity);
  if (!may) co_return fail(may.error());
  auto& backups = call.services.backups;
  if (!backups.make) {
    co_return fail(ErrorKind::unavailable, "no_backups", "cannot make a backup: it is not set up");
  }
  if (backups.under_way) {
    call.retry_after = Seconds{10};
    co_return fail(ErrorKind::exhausted, "backup_running",
                   "cannot make a backup: another one is being made", "try again when it is done");
  }
  Turn turn{backups.under_way};
  // First, so that nobody has a copy that the log knows nothing of; it is in the copy, too.
  co_await call.services.access.record({call.who(), "backup.make", "database", "ok", ""});
  auto file = co_await backups.make();
  auto size = size_of(file);
  if (auto room = call.exchange.hold(executions::FileReader::piece_max); !room) {
    co_return fail(std::move(room.error()));
  }
  net::http::ResponseHead head{.status = 200,
                               .headers = {{"Content-Type", "application/x-ndjson"}}};
  head.headers.set("Content-Disposition", "attachment; filename=\"gantry.backup\"");
  add_security_headers(head.headers);
  co_await call.exchange.begin_stream(std::move(head));
  executions::FileReader reader{call.services.workers, std::move(file), size};
  for (auto piece = co_await reader.next(); !piece.empty(); piece = co_await reader.next()) {
    co_await call.exchange.send(std::move(piece));
  }
  co_await call.exchange.finish_stream();
  co_return answered_already();
}

}  // namespace gantry::api
