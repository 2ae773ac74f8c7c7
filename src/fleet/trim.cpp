#include "fleet/trim.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace gantry::fleet {
namespace {

// An engine takes 50,000 labels, of a megabyte each.
constexpr std::size_t pairs_max = 256;
constexpr std::size_t pairs_bytes_max = 32U << 10U;
constexpr std::size_t pair_name_max = 256;
constexpr std::size_t pair_value_max = 4096;
constexpr std::size_t name_max = 256;
constexpr std::size_t word_max = 512;
constexpr std::size_t ports_max = 1024;
constexpr std::size_t port_text_max = 64;
constexpr std::size_t texts_max = 256;
constexpr std::size_t subnets_max = 64;

void trim_word(std::string& text) {
  if (text.size() > word_max) text = text::shortened(text, word_max);
}

void trim_words(std::vector<std::string>& texts) {
  if (texts.size() > texts_max) texts.resize(texts_max);
  std::ranges::for_each(texts, trim_word);
}

}  // namespace

std::map<std::string, std::string> trimmed_pairs(const std::map<std::string, std::string>& pairs) {
  std::map<std::string, std::string> kept;
  std::size_t bytes = 0;
  for (const auto& [name, value] : pairs) {
    auto kept_name = text::shortened(name, pair_name_max);
    auto kept_value = text::shortened(value, pair_value_max);
    bytes += kept_name.size() + kept_value.size();
    if (kept.size() == pairs_max || bytes > pairs_bytes_max) break;
    kept.insert_or_assign(std::move(kept_name), std::move(kept_value));
  }
  return kept;
}

std::string trimmed_name(std::string_view name) {
  return text::shortened(text::one_line(name.substr(0, 2 * name_max)), name_max);
}

std::vector<engine::Port> trimmed_ports(const std::vector<engine::Port>& ports) {
  std::vector<engine::Port> kept(
      ports.begin(),
      ports.begin() + static_cast<std::ptrdiff_t>(std::min(ports.size(), ports_max)));
  for (auto& port : kept) {
    port.host_ip = text::shortened(port.host_ip, port_text_max);
    port.protocol = text::shortened(port.protocol, port_text_max);
  }
  return kept;
}

void trim(engine::ImageSummary& image) {
  trim_word(image.id);
  trim_word(image.parent);
  trim_words(image.tags);
  trim_words(image.digests);
  image.labels = trimmed_pairs(image.labels);
}

void trim(engine::Network& network) {
  for (auto* text : {&network.id, &network.driver, &network.scope, &network.created}) {
    trim_word(*text);
  }
  network.name = trimmed_name(network.name);
  if (network.subnets.size() > subnets_max) network.subnets.resize(subnets_max);
  for (auto& subnet : network.subnets) {
    for (auto* text : {&subnet.prefix, &subnet.gateway, &subnet.range}) trim_word(*text);
  }
  network.options = trimmed_pairs(network.options);
  network.labels = trimmed_pairs(network.labels);
  network.members.clear();
}

void trim(engine::Volume& volume) {
  volume.name = trimmed_name(volume.name);
  for (auto* text : {&volume.driver, &volume.created, &volume.mountpoint, &volume.scope}) {
    trim_word(*text);
  }
  volume.options = trimmed_pairs(volume.options);
  volume.labels = trimmed_pairs(volume.labels);
}

}  // namespace gantry::fleet
