#include "fleet/query.hpp"

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <compare>
#include <utility>

#include <fmt/format.h>

namespace gantry::fleet {
namespace {

struct SortWord {
  SortBy sort;
  std::string_view word;
};
constexpr std::array sort_words{SortWord{SortBy::name, "name"},
                                SortWord{SortBy::created, "created"},
                                SortWord{SortBy::state, "state"}, SortWord{SortBy::host, "host"},
                                SortWord{SortBy::image, "image"}};

std::string_view word_of(SortBy sort) {
  return std::ranges::find(sort_words, sort, &SortWord::sort)->word;
}

/// Where a container stands in a list: by the sort's key, then by its host, then by its id, so that
/// no two are equal.
struct Place {
  std::string_view key;     ///< Of sorts by text,
  std::int64_t number = 0;  ///< and of those by time.
  std::string_view host;
  std::string_view id;
  auto operator<=>(const Place&) const = default;
};

Place place_of(const Found& found, SortBy sort) {
  const auto& container = *found.container;
  Place place{.host = found.host->name(), .id = container.id};
  switch (sort) {
    case SortBy::name:
      place.key = container.name;
      break;
    case SortBy::created:
      place.number = container.created.time_since_epoch().count();
      break;
    case SortBy::state:
      place.key = container.state;
      break;
    case SortBy::host:
      break;
    case SortBy::image:
      place.key = container.image;
      break;
  }
  return place;
}

/// Whether the one comes before the other.
class Before {
 public:
  Before(SortBy sort, Order order) : sort_{sort}, order_{order} {}
  bool operator()(const Found& a, const Found& b) const {
    return (*this)(place_of(a, sort_), place_of(b, sort_));
  }
  bool operator()(const Place& a, const Place& b) const {
    return order_ == Order::ascending ? a < b : b < a;
  }

 private:
  SortBy sort_;
  Order order_;
};

/// The end of a page, in a form that nobody need understand.
struct Cursor {
  std::string key;
  std::int64_t number = 0;
  std::string host;
  std::string id;

  Place place() const { return {key, number, host, id}; }
};

std::string_view word_of(Order order) { return order == Order::ascending ? "asc" : "desc"; }

std::string text_of(const Place& place, const ContainerQuery& query) {
  json::Array parts{word_of(query.sort),          word_of(query.order), place.key,
                    std::to_string(place.number), place.host,           place.id};
  auto text = encoding::base64url(json::serialize(parts));
  text.erase(text.find_last_not_of('=') + 1);
  return text;
}

std::optional<Cursor> parse_cursor(std::string text, const ContainerQuery& query) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  auto bytes = encoding::from_base64(text);
  if (!bytes) return std::nullopt;
  auto value = json::parse(*bytes, json::Keys::strict);
  if (!value || !value->is_array() || value->get_array().size() != 6) return std::nullopt;
  std::array<std::string, 6> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& part = value->get_array()[i];
    if (!part.is_string()) return std::nullopt;
    parts[i] = part.get_string();
  }
  if (parts[0] != word_of(query.sort) || parts[1] != word_of(query.order)) return std::nullopt;
  Cursor cursor{.key = parts[2], .host = parts[4], .id = parts[5]};
  const auto* end = parts[3].data() + parts[3].size();
  auto [stop, wrong] = std::from_chars(parts[3].data(), end, cursor.number);
  if (wrong != std::errc{} || stop != end) return std::nullopt;
  return cursor;
}

bool has_labels(const Container& container, const std::vector<LabelMatch>& labels) {
  return std::ranges::all_of(labels, [&](const LabelMatch& wanted) {
    auto value = container.labels.find(wanted.name);
    return value && (!wanted.value || *value == *wanted.value);
  });
}

template <class T>
bool is_one_of(const T& value, const std::vector<T>& wanted) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool fits(const Container& container, const ContainerQuery& query,
          const std::vector<std::string>& words) {
  if (!query.project.empty() && container.project != query.project) return false;
  if (!is_one_of(container.state, query.states)) return false;
  if (!is_one_of(container.health, query.healths)) return false;
  auto stands = [&](const std::string& word) {
    return container.searched.find(word) != std::string::npos;
  };
  return std::ranges::all_of(words, stands) && has_labels(container, query.labels);
}

bool fits(const HostConfig& config, const ContainerQuery& query, const Sight& sight) {
  if (!query.host.empty() && config.name != query.host) return false;
  return query.group.empty() || sight.knows_group(query.group);
}

void collect(const Host& host, const ContainerQuery& query, const Sight& sight,
             std::vector<Found>& found) {
  // What the host's name answers already need not be looked for in each container.
  std::vector<std::string> words;
  for (const auto& word : query.words) {
    auto lowered = text::lowered(word);
    if (!host.name().contains(lowered)) words.push_back(std::move(lowered));
  }
  for (const auto& container : host.view().containers) {
    if (fits(container, query, words) && sight.sees(container))
      found.push_back({&host, &container});
  }
}

void add_host(ContainerPage& page, const std::shared_ptr<Host>& host) {
  const auto& view = host->view();
  page.hosts.push_back(host);
  page.stale = page.stale || view.stale;
  if (view.as_of && (!page.as_of || *view.as_of < *page.as_of)) page.as_of = view.as_of;
}

/// The first `limit` of them that come after the cursor, in order.
void cut(std::vector<Found>& found, const ContainerQuery& query,
         const std::optional<Cursor>& cursor, ContainerPage& page) {
  Before before{query.sort, query.order};
  if (cursor) {
    std::erase_if(found, [&, end = cursor->place()](const Found& one) {
      return !before(end, place_of(one, query.sort));
    });
  }
  auto shown = std::min(query.limit, found.size());
  auto middle = found.begin() + static_cast<std::ptrdiff_t>(shown);
  std::ranges::partial_sort(found, middle, before);
  page.items.assign(found.begin(), middle);
  if (shown == 0 || shown == found.size()) return;
  page.next = text_of(place_of(page.items.back(), query.sort), query);
}

}  // namespace

std::optional<SortBy> parse_sort(std::string_view word) {
  auto found = std::ranges::find(sort_words, word, &SortWord::word);
  if (found == sort_words.end()) return std::nullopt;
  return found->sort;
}

Sight::Sight(const access::Rights& rights, const HostConfig& host)
    : rights_{&rights},
      config_{&host},
      host_{rights.sees_host(host.name, host.groups)},
      all_{host_ && rights.role_on(host.name, host.groups, {}).has_value()} {}

bool Sight::knows_group(const std::string& group) const {
  return all_ && std::ranges::find(config_->groups, group) != config_->groups.end();
}

bool Sight::sees(const Container& container) const {
  if (all_) return true;
  return host_ && container.project &&
         rights_->role_on(config_->name, config_->groups, *container.project).has_value();
}

Result<ContainerPage> find_containers(std::span<const std::shared_ptr<Host>> hosts,
                                      const ContainerQuery& query, const access::Rights& rights) {
  std::optional<Cursor> cursor;
  if (!query.cursor.empty()) {
    cursor = parse_cursor(query.cursor, query);
    if (!cursor) {
      return fail(ErrorKind::invalid, "invalid_cursor",
                  "cannot continue list 'containers': this is not a cursor of a list in this order",
                  "start again without a cursor");
    }
  }
  ContainerPage page;
  std::vector<Found> found;
  for (const auto& host : hosts) {
    Sight sight{rights, host->config()};
    if (!sight.host() || !fits(host->config(), query, sight)) continue;
    add_host(page, host);
    collect(*host, query, sight, found);
  }
  page.total = found.size();
  cut(found, query, cursor, page);
  return page;
}

}  // namespace gantry::fleet
