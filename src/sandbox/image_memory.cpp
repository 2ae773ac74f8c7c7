#include "sandbox/image_memory.hpp"

#include "async/deadline.hpp"

namespace gantry::sandbox {
namespace {

constexpr Milliseconds usable{2'000};
constexpr Milliseconds renewed_after{500};
constexpr Milliseconds program_first{50};
constexpr std::size_t known_max = 64;

}  // namespace

async::task<Result<ServedImage>> ImageMemory::resolve(std::string reference, Logins logins,
                                                      OnProgress progress) {
  auto found = known_.find(reference);
  if (found == known_.end()) {
    co_return co_await ask(std::move(reference), logins, std::move(progress));
  }
  auto& known = found->second;
  auto age = steady_now() - known.asked_at;
  if (age > usable) co_return co_await ask(std::move(reference), logins, std::move(progress));
  if (age > renewed_after && !known.asking) {
    known.asking = true;
    tasks_.spawn("look at an image", renew(reference, logins));
  }
  if (known.image.name != reference && !known.note.empty()) progress(known.note);
  co_return known.image;
}

async::task<Result<ServedImage>> ImageMemory::ask(std::string reference, Logins logins,
                                                  OnProgress progress) {
  std::string note;
  auto told = [&](std::string text) {
    note = text;
    progress(std::move(text));
  };
  auto asked_at = steady_now();
  auto image = co_await images_.resolve(reference, logins, told);
  if (!image) {
    known_.erase(reference);
    co_return image;
  }
  if (known_.size() >= known_max) known_.clear();
  known_.insert_or_assign(std::move(reference), Known{*image, std::move(note), asked_at});
  co_return image;
}

async::task<void> ImageMemory::renew(std::string reference, Logins logins) {
  // The program goes first: its frames come through the same engine.
  co_await async::pause(program_first);
  co_await ask(std::move(reference), logins, [](const std::string&) {});
}

}  // namespace gantry::sandbox
