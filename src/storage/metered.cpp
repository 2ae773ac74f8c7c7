#include "storage/metered.hpp"

#include "base/text.hpp"

#include <utility>

namespace gantry::storage {
namespace {

/// Counts one transaction, however it ends.
class Metering {
 public:
  explicit Metering(DatabaseStats& stats) : stats_{stats}, began_{steady_now()} {
    ++stats_.waiting;
  }
  ~Metering() {
    --stats_.waiting;
    ++(done_ ? stats_.done : stats_.refused);
    stats_.took.observe(std::chrono::duration_cast<Microseconds>(steady_now() - began_));
  }
  Metering(const Metering&) = delete;
  Metering& operator=(const Metering&) = delete;
  void done() { done_ = true; }

 private:
  DatabaseStats& stats_;
  SteadyTime began_;
  bool done_ = false;
};

}  // namespace

MeteredDatabase::MeteredDatabase(std::unique_ptr<Database> database)
    : database_{std::move(database)} {
  auto about = database_->describe();
  stats_.kind = text::lowered(about.substr(0, about.find(' ')));
}

async::task<void> MeteredDatabase::run(TransactionBody body) {
  Metering metering{stats_};
  co_await database_->run(std::move(body));
  metering.done();
}

}  // namespace gantry::storage
