// Names of images: what is accepted is written out as itself.
#include "engine/image_reference.hpp"

#include "fuzz.hpp"

using namespace gantry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto text = fuzz::text_of(data, size);
  (void)engine::valid_image_id(text);
  auto reference = engine::ImageReference::parse(text);
  if (!reference) return 0;
  auto canonical = engine::ImageReference::parse(reference->canonical());
  auto familiar = engine::ImageReference::parse(reference->familiar());
  CHECK(canonical && *canonical == *reference);
  CHECK(familiar && *familiar == *reference);
  return 0;
}
