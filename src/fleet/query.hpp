#pragma once

#include "access/rights.hpp"
#include "base/error.hpp"
#include "fleet/host.hpp"
#include "fleet/view.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gantry::fleet {

enum class SortBy : std::uint8_t { name, created, state, host, image };
/// Nothing for any other word.
std::optional<SortBy> parse_sort(std::string_view word);
enum class Order : std::uint8_t { ascending, descending };

/// A label that must be there; with a value, exactly that.
struct LabelMatch {
  std::string name;
  std::optional<std::string> value;
};

/// Which containers of all hosts somebody asks for; empty parts ask for nothing.
struct ContainerQuery {
  std::string host;     ///< The name of one host.
  std::string group;    ///< Hosts of this group.
  std::string project;  ///< A Compose project, on whichever host.
  std::vector<std::string> states;
  std::vector<Health> healths;
  std::vector<LabelMatch> labels;  ///< All of them.
  /// Words that all stand in the container's name, image, id, project, service or its host's name,
  /// whatever their case.
  std::vector<std::string> words;
  SortBy sort = SortBy::name;
  Order order = Order::ascending;
  std::size_t limit = 200;
  std::string cursor;  ///< `next` of the page before; empty: the first.
};

/// A container and where it is. Points into views: it holds until the next wait.
struct Found {
  const Host* host = nullptr;
  const Container* container = nullptr;
};

struct ContainerPage {
  std::vector<Found> items;
  std::optional<std::string> next;  ///< The cursor of the following page.
  std::size_t total = 0;            ///< How many fit the query, on all pages.
  /// The hosts that were asked about, by name.
  std::vector<std::shared_ptr<Host>> hosts;
  bool stale = false;             ///< Whether any of them is.
  std::optional<WallTime> as_of;  ///< The oldest of them.
};

/// Answers from memory. What the rights do not show is not there: neither in the list nor in any
/// number. Refused: `invalid_cursor`.
Result<ContainerPage> find_containers(std::span<const std::shared_ptr<Host>> hosts,
                                      const ContainerQuery& query, const access::Rights& rights);

/// Which of one host's containers somebody sees.
class Sight {
 public:
  Sight(const access::Rights& rights, const HostConfig& host);
  /// Whether they know of the host.
  bool host() const { return host_; }
  /// Whether they see the host as a whole: its images, networks, volumes and all its containers.
  bool all() const { return all_; }
  /// Whether the host is in this group and they may know it: for those who see a part of a host it
  /// is in none.
  bool knows_group(const std::string& group) const;
  bool sees(const Container& container) const;

 private:
  const access::Rights* rights_;
  const HostConfig* config_;
  bool host_;
  bool all_;
};

}  // namespace gantry::fleet
